/** The operating system's files, through Deno. Whatever in `src/` changes a file or folder does it here. */
import type { FileHandle, FileStatus, FileSystem } from "./file_system.ts";
import { linkRefused, notAFile, openRegular } from "./open_regular.ts";

function toStatus(info: Deno.FileInfo): FileStatus {
  const kind = info.isSymlink ? "link" : info.isFile ? "file" : info.isDirectory ? "folder" : "other";
  const identity = info.ino === null ? {} : { identity: `${info.dev}:${info.ino}` };
  const modified = info.mtime === null ? {} : { modifiedAt: info.mtime.getTime() };
  return { kind, bytes: info.size, ...identity, ...modified };
}

function toHandle(file: Deno.FsFile): FileHandle {
  return {
    read: (into) => file.read(into),
    write: (bytes) => file.write(bytes),
    seek: async (offset) => void await file.seek(offset, Deno.SeekMode.Start),
    truncate: (bytes) => file.truncate(bytes),
    sync: () => file.sync(),
    status: async () => toStatus(await file.stat()),
    tryLock: () => file.tryLock(true),
    close: () => file.close(),
  };
}

async function status(path: string): Promise<FileStatus | undefined> {
  try {
    return toStatus(await Deno.lstat(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Files of the machine that rewarm runs on. */
export const DENO_FILES: FileSystem = {
  open: async (path, mode, permissions) => toHandle(await openRegular(path, mode, permissions)),
  async rename(from, to) {
    await requireReplaceable(to);
    await Deno.rename(from, to);
  },
  remove: (path) => Deno.remove(path),
  makeFolder: (path) => Deno.mkdir(path, { recursive: true }),
  async readFolder(path) {
    const names: string[] = [];
    for await (const entry of Deno.readDir(path)) names.push(entry.name);
    return names.sort();
  },
  status,
  realPath: (path) => Deno.realPath(path),
  async syncFolder(path) {
    // Windows has no fsync of folders: NTFS journals their entries itself.
    if (Deno.build.os === "windows") return;
    // Looked at first: a pipe in the folder's place would be waited for.
    if (!(await Deno.stat(path)).isDirectory) throw Object.assign(new Error("Not a folder"), { code: "ENOTDIR" });
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  },
};

/**
 * Makes sure that a file may come to stand at a path, in the place of a regular file or of nothing.
 *
 * @throws {UserError} `IS_A_LINK` or `NOT_A_FILE`
 */
export async function requireReplaceable(path: string): Promise<void> {
  const found = await status(path);
  if (found === undefined || found.kind === "file") return;
  throw found.kind === "link" ? linkRefused(path) : notAFile("write", path);
}

/** Renames a folder; nothing may stand in its new place. */
export async function renameFolder(from: string, to: string): Promise<void> {
  const found = await status(to);
  if (found !== undefined) throw found.kind === "link" ? linkRefused(to) : notAFile("replace", to);
  await Deno.rename(from, to);
}

/** Removes a file at once. */
export function removeFileSync(path: string): void {
  Deno.removeSync(path);
}

/** Removes a file, or a folder with all that is in it; of a link the link alone. Does nothing if nothing is there. */
export async function removeTree(path: string): Promise<void> {
  const found = await status(path);
  if (found !== undefined) await Deno.remove(path, { recursive: found.kind === "folder" });
}

/** Gives a regular file a second name on the same disk, where nothing may stand yet. */
export async function nameAgain(path: string, name: string): Promise<void> {
  const found = await status(path);
  if (found?.kind !== "file") throw found?.kind === "link" ? linkRefused(path) : notAFile("link", path);
  await Deno.link(path, name);
}

/** Takes from everyone the permission to write a regular file; without effect on Windows. */
export async function makeReadOnly(path: string): Promise<void> {
  await requireReplaceable(path);
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o444);
}

/** A new folder below another, which is made where it is missing; whoever asks removes it. */
export async function makeTemporaryFolder(below: string): Promise<string> {
  await Deno.mkdir(below, { recursive: true });
  return await Deno.makeTempDir({ dir: below, prefix: ".rewarm-" });
}
