/** The page's files by the interface of a file system: takes the place of `src/files/deno_file_system.ts`. */
import type { FileHandle, FileStatus, FileSystem } from "../../files/file_system.ts";
import { find, isContent, lookUp, makeFolder, move, namesIn, platformError, remove, wholePath } from "./file_tree.ts";
import { openRegular, type PageFile } from "./open_regular.ts";

function toHandle(file: PageFile): FileHandle {
  return {
    read: (into) => file.read(into),
    write: (bytes) => file.write(bytes),
    seek: (offset) => Promise.resolve(void file.seekSync(offset)),
    truncate: (bytes) => Promise.resolve(file.truncateSync(bytes)),
    sync: () => Promise.resolve(),
    status: () => Promise.resolve({ kind: "file", bytes: file.size }),
    tryLock: () => Promise.resolve(true),
    close: () => {},
  };
}

async function status(path: string): Promise<FileStatus | undefined> {
  const found = await lookUp(path);
  if (found === undefined) return undefined;
  return isContent(found) ? { kind: "file", bytes: found.size } : { kind: "folder", bytes: 0 };
}

/** All files that the page has. */
export const DENO_FILES: FileSystem = {
  open: async (path, mode) => toHandle(await openRegular(path, mode)),
  rename: (from, to) => Promise.resolve(move(from, to)),
  remove: (path) => Promise.resolve(remove(path)),
  makeFolder: (path) => Promise.resolve(void makeFolder(path)),
  readFolder: (path) => Promise.resolve(namesIn(path)),
  status,
  async realPath(path) {
    if (await lookUp(path) === undefined) throw platformError("ENOENT", `There is no "${path}"`);
    return wholePath(path);
  },
  syncFolder: () => Promise.resolve(),
};

/** Renames a folder; nothing may stand in its new place. */
export function renameFolder(from: string, to: string): Promise<void> {
  return Promise.resolve(move(from, to));
}

/** Removes a file at once. */
export function removeFileSync(path: string): void {
  remove(path);
}

/** Removes a file or a folder; does nothing if nothing is there. */
export function removeTree(path: string): Promise<void> {
  return Promise.resolve(find(path) === undefined ? undefined : remove(path));
}
