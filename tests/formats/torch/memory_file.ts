/** Files that are only in memory. */
import { DENO_FILES } from "../../../src/files/deno_file_system.ts";
import type { FileHandle, FileSystem } from "../../../src/files/file_system.ts";

/** A handle that reads bytes, as few at a time as `step` says. */
export function memoryHandle(bytes: Uint8Array, step = Infinity): FileHandle {
  let at = 0;
  const refuse = () => Promise.reject(new Error("only for reading"));
  return {
    read: (into) => {
      const part = bytes.subarray(at, at + Math.min(step, into.length));
      into.set(part);
      at += part.length;
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
    seek: (offset) => Promise.resolve(void (at = offset)),
    status: () => Promise.resolve({ kind: "file", bytes: bytes.length }),
    write: refuse,
    truncate: refuse,
    sync: refuse,
    tryLock: refuse,
    close: () => {},
  };
}

/** A file system in which every path is a file of these bytes. */
export function memoryFiles(bytes: Uint8Array): FileSystem {
  return { ...DENO_FILES, open: () => Promise.resolve(memoryHandle(bytes)) };
}
