/**
 * The one place where files are opened. Only regular files are: a named pipe would be waited for without end, and a
 * device has no end. Nothing is written through a link, symbolic or hard, since the file that it leads to is not the
 * one that was named.
 *
 * A path is looked at before it is opened, and what was opened is compared with it, so that what is swapped in between
 * is found out before anything is written; a file is made only where the system itself says that there is none.
 */
import { UserError } from "../errors.ts";
import type { OpenMode } from "./file_system.ts";
import { requireDense } from "./dense.ts";
import { brokenLink, MAX_POINTER_BYTES, refusePointer } from "./git_lfs.ts";

/** Where `seek` counts from. */
export const FROM_START = Deno.SeekMode.Start;

const OPTIONS: Readonly<Record<OpenMode, Deno.OpenOptions>> = {
  read: { read: true },
  create: { write: true, createNew: true },
  update: { read: true, write: true },
};

/**
 * Opens a regular file at its start. A link is followed for reading alone, and what Git left in place of a file's
 * contents is not taken for the file.
 *
 * @param permissions POSIX mode of a file that is created; without effect on Windows
 * @throws {UserError} `NOT_A_FILE` for a folder, pipe, socket or device; `IS_A_LINK` for a link to be written through;
 * as {@linkcode refusePointer} and {@linkcode requireDense} throw; `FILE_NOT_FOUND` for a link to be read that leads to nothing
 * @throws {Error} the platform's own, if it is missing, or there where it should be made, or access is denied
 */
export async function openRegular(path: string, mode: OpenMode, permissions?: number): Promise<Deno.FsFile> {
  for (let attempt = 1;; attempt++) {
    const before = mode === "create" ? undefined : await statusAt(path, mode);
    if (before !== undefined) requireKind(path, mode, before);
    const options = optionsFor(before === undefined ? "create" : mode, mode, permissions);
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, options);
    } catch (error) {
      if (attempt < MOST_ATTEMPTS && hasChangedMeanwhile(error, mode, before)) continue;
      throw error;
    }
    const now = await file.stat();
    if (isSame(before, now)) return accept(file, path, mode, now);
    // Some file systems give a file another number when it is first opened for writing: then the path has that too.
    const isThere = isSame(await statusAt(path, mode).catch(() => undefined) ?? UNKNOWN, now);
    return isThere ? accept(file, path, mode, now) : refuse(file, path, mode, now);
  }
}

/** {@linkcode openRegular} at once. */
export function openRegularSync(path: string, mode: OpenMode): Deno.FsFile {
  const before = mode === "create" ? undefined : statusAtSync(path, mode);
  if (before !== undefined) requireKind(path, mode, before);
  const file = Deno.openSync(path, optionsFor(before === undefined ? "create" : mode, mode));
  const now = file.statSync();
  return isSame(before, now) || isSame(statusAtSync(path, mode) ?? UNKNOWN, now)
    ? accept(file, path, mode, now)
    : refuse(file, path, mode, now);
}

/** Times that a file to update is looked for: other processes make and remove such files, locks above all. */
const MOST_ATTEMPTS = 16;

/** Whether a file to update was made or removed by somebody else between looking and opening. */
function hasChangedMeanwhile(error: unknown, mode: OpenMode, before: Deno.FileInfo | undefined): boolean {
  if (mode !== "update") return false;
  return before === undefined ? error instanceof Deno.errors.AlreadyExists : error instanceof Deno.errors.NotFound;
}

/** A whole file of the project's own making, and so of a size that is known to be small. */
export async function readRegular(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openRegular(path, "read");
  return new Uint8Array(await new Response(file.readable).arrayBuffer());
}

/** @param how it is opened in fact: one that is to be updated and is missing is created */
function optionsFor(how: OpenMode, mode: OpenMode, permissions?: number): Deno.OpenOptions {
  const options = mode === "update" ? { ...OPTIONS[how], read: true } : OPTIONS[how];
  return permissions === undefined || mode === "read" ? options : { ...options, mode: permissions };
}

/** What stands at a path; of a link, what it leads to where it may be followed. Undefined where nothing need be. */
async function statusAt(path: string, mode: OpenMode): Promise<Deno.FileInfo | undefined> {
  if (mode === "read") return await Deno.stat(path).catch((error) => explainMissing(error, path));
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function statusAtSync(path: string, mode: OpenMode): Deno.FileInfo | undefined {
  try {
    return mode === "read" ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (mode === "read") explainMissing(error, path);
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Throws in place of an error if what is missing is only where a link leads; the error itself if not. */
function explainMissing(error: unknown, path: string): never {
  let target: string | undefined;
  try {
    if (error instanceof Deno.errors.NotFound && Deno.lstatSync(path).isSymlink) target = Deno.readLinkSync(path);
  } catch {
    // The first error says more.
  }
  throw target === undefined ? error : brokenLink(path, target);
}

function requireKind(path: string, mode: OpenMode, info: Deno.FileInfo): void {
  if (info.isSymlink) throw linkRefused(path);
  const doing = mode === "read" ? "read" : "write";
  if (!info.isFile) throw notAFile(doing, path);
  if (mode === "update" && (info.nlink ?? 1) > 1) {
    throw new UserError(
      "IS_A_LINK",
      `Cannot write "${path}", it is one of ${info.nlink} names (hard links) of one file`,
      "replace it by a copy of its own, so that the file under the other names stays as it is",
    );
  }
}

/** Stands for a path at which there is nothing any more. */
const UNKNOWN = { isFile: false, dev: -1, ino: -1 } as const;

/** @param before what stood at the path; undefined if what was opened was made just then */
function isSame(
  before: Pick<Deno.FileInfo, "isFile" | "dev" | "ino"> | undefined,
  now: Deno.FileInfo,
): boolean {
  if (!now.isFile) return false;
  return before === undefined || (before.isFile && before.dev === now.dev && before.ino === now.ino);
}

function refuse(file: Deno.FsFile, path: string, mode: OpenMode, now: Deno.FileInfo): never {
  file.close();
  if (!now.isFile) throw notAFile(mode === "read" ? "read" : "write", path);
  throw new UserError("FILE_CHANGED", `"${path}" was replaced while it was opened`, "give the same command again");
}

function accept(file: Deno.FsFile, path: string, mode: OpenMode, now: Deno.FileInfo): Deno.FsFile {
  return mode === "read" ? readable(file, path, now) : file;
}

/** A file whose contents are those that its size and name promise. */
function readable(file: Deno.FsFile, path: string, info: Deno.FileInfo): Deno.FsFile {
  try {
    requireDense(path, info);
  } catch (error) {
    file.close();
    throw error;
  }
  return withoutPointer(file, path, info.size);
}

/** Costs one read of files that are as short as a pointer, and none of others. */
function withoutPointer(file: Deno.FsFile, path: string, bytes: number): Deno.FsFile {
  if (bytes === 0 || bytes > MAX_POINTER_BYTES) return file;
  try {
    const content = new Uint8Array(bytes);
    refusePointer(content.subarray(0, file.readSync(content) ?? 0), path);
    file.seekSync(0, FROM_START);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The error for a link where a file or folder of its own is needed. */
export function linkRefused(path: string): UserError {
  return new UserError(
    "IS_A_LINK",
    `"${path}" is a symbolic link, and nothing is read or written through it here`,
    "remove the link, or put what it leads to in its place",
  );
}

/** The error for what is there and is no regular file. */
export function notAFile(doing: string, path: string): UserError {
  return new UserError("NOT_A_FILE", `Cannot ${doing} "${path}", it is no regular file`, "give the path of a file");
}
