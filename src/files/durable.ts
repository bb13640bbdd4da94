/** Files that are whole or not there: written under a temporary name, flushed to the disk, then renamed. */
import { DENO_FILES } from "./deno_file_system.ts";
import { fileError } from "./file_error.ts";
import type { FileHandle, FileSystem } from "./file_system.ts";

/** What a file is written from: all at once, or piece by piece where it is larger than should be held. */
export type Contents =
  | string
  | Uint8Array
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** How {@linkcode writeFileDurably} writes. */
export interface WriteOptions {
  readonly files?: FileSystem;
  /** POSIX mode of the new file, `0o600` for secrets; by default the process's own */
  readonly permissions?: number;
}

const LEFTOVER = /^\..+\.[0-9a-f]{8}\.partial$/;
/** Written at a time where a file comes in small pieces. */
const BLOCK_BYTES = 1 << 18;
const encoder = new TextEncoder();

/** The folder of a path, `.` for a bare name. */
export function folderOf(path: string): string {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return cut < 0 ? "." : cut === 0 ? path.slice(0, 1) : path.slice(0, cut);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** Writes all bytes at the handle's position, however many short writes it takes. */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await handle.write(bytes.subarray(done));
    if (written <= 0) {
      throw Object.assign(new Error("No byte was written"), { code: "EIO" });
    }
    done += written;
  }
}

/** Makes a folder with its parents and flushes the entry of each that is new to the disk. */
export async function makeFolderDurably(
  path: string,
  files: FileSystem = DENO_FILES,
): Promise<void> {
  try {
    if ((await files.status(path))?.kind === "folder") return;
    const parent = folderOf(path);
    if (parent !== path && parent !== ".") await makeFolderDurably(parent, files);
    await files.makeFolder(path);
    await files.syncFolder(parent);
  } catch (error) {
    throw fileError(error, "make the folder", path);
  }
}

/**
 * Writes a file so that after a crash at any moment either the old file is there or the new one, whole: temporary name
 * in the same folder, write, fsync, rename, fsync of the folder. Makes the folder where it is missing.
 *
 * @throws {UserError} if the disk is full, access is denied or the file system is read-only; the temporary file is
 * removed and a file of that name stays as it was
 *
 * @example
 * ```ts ignore
 * import { writeFileDurably } from "./durable.ts";
 *
 * await writeFileDurably("out/tiny/plan.json", '{"runs":[]}\n');
 * ```
 */
export async function writeFileDurably(
  path: string,
  contents: Contents,
  options: WriteOptions = {},
): Promise<void> {
  const files = options.files ?? DENO_FILES;
  const folder = folderOf(path);
  await makeFolderDurably(folder, files);
  const name = path.slice(
    folder === "." && !/[/\\]/.test(path) ? 0 : folder.length,
  ).replace(/^[/\\]/, "");
  const temporary = `${folder}/.${name}.${crypto.randomUUID().slice(0, 8)}.partial`;
  try {
    await writeNewFile(files, temporary, contents, options.permissions);
    await files.rename(temporary, path);
    await files.syncFolder(folder);
  } catch (error) {
    // Where even this fails, the next start removes it: removeLeftovers.
    await files.remove(temporary).catch(() => {});
    throw fileError(error, "write", path);
  }
}

async function writeNewFile(
  files: FileSystem,
  path: string,
  contents: Contents,
  permissions: number | undefined,
): Promise<void> {
  const handle = await files.open(path, "create", permissions);
  try {
    if (typeof contents === "string") {
      await writeAll(handle, encoder.encode(contents));
    } else if (contents instanceof Uint8Array) await writeAll(handle, contents);
    else await writePieces(handle, contents);
    await handle.sync();
  } finally {
    handle.close();
  }
}

/** Small pieces are joined: a checkpoint has hundreds of tensors, most of them of a few hundred bytes. */
async function writePieces(
  handle: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  const flush = async () => {
    await writeAll(handle, block.subarray(0, filled));
    filled = 0;
  };
  for await (const piece of pieces) {
    if (filled + piece.length > block.length) await flush();
    if (piece.length > block.length) await writeAll(handle, piece);
    else {
      block.set(piece, filled);
      filled += piece.length;
    }
  }
  await flush();
}

/**
 * Flushes the entries of a folder and of all folders below it to the disk. What a process that was killed had made or
 * renamed is there for everyone, and yet a power cut could undo it. Does nothing for a file.
 */
export async function syncFolders(path: string, files: FileSystem = DENO_FILES): Promise<void> {
  try {
    if ((await files.status(path))?.kind !== "folder") return;
    for (const name of await files.readFolder(path)) await syncFolders(`${path}/${name}`, files);
    await files.syncFolder(path);
  } catch (error) {
    throw fileError(error, "flush", path);
  }
}

/**
 * Removes the temporary files that a killed process left in a folder.
 *
 * @returns their names, to be told to the user; none if the folder is not there
 */
export async function removeLeftovers(
  folder: string,
  files: FileSystem = DENO_FILES,
): Promise<string[]> {
  let path = folder;
  try {
    if ((await files.status(folder))?.kind !== "folder") return [];
    const leftovers = (await files.readFolder(folder)).filter((name) => LEFTOVER.test(name));
    for (const name of leftovers) await files.remove(path = `${folder}/${name}`);
    return leftovers;
  } catch (error) {
    throw fileError(error, "clean up", path);
  }
}
