/** The operating system's files, through Deno. */
import type { FileHandle, FileStatus, FileSystem, OpenMode } from "./file_system.ts";

function toStatus(info: Deno.FileInfo): FileStatus {
  const kind = info.isSymlink ? "link" : info.isFile ? "file" : info.isDirectory ? "folder" : "other";
  return { kind, bytes: info.size };
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

const OPTIONS: Readonly<Record<OpenMode, Deno.OpenOptions>> = {
  read: { read: true },
  create: { write: true, createNew: true },
  update: { read: true, write: true, create: true },
};

/** Files of the machine that rewarm runs on. */
export const DENO_FILES: FileSystem = {
  async open(path, mode, permissions) {
    const options = OPTIONS[mode];
    return toHandle(
      await Deno.open(
        path,
        permissions === undefined || mode === "read" ? options : { ...options, mode: permissions },
      ),
    );
  },
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  makeFolder: (path) => Deno.mkdir(path, { recursive: true }),
  async readFolder(path) {
    const names: string[] = [];
    for await (const entry of Deno.readDir(path)) names.push(entry.name);
    return names.sort();
  },
  async status(path) {
    try {
      return toStatus(await Deno.lstat(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  realPath: (path) => Deno.realPath(path),
  async syncFolder(path) {
    // Windows has no fsync of folders: NTFS journals their entries itself.
    if (Deno.build.os === "windows") return;
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  },
};
