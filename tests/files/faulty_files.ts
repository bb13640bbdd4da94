/** A file layer that fails, or stops as a killed process does, at its operation number N. */
import { DENO_FILES } from "../../src/files/deno_file_system.ts";
import type { FileHandle, FileSystem } from "../../src/files/file_system.ts";

/** Thrown where a killed process would have stopped: from then on every operation throws it. */
export class Killed extends Error {}

/** Which operation goes wrong, and how. */
export interface Fault {
  /** from 0; `Infinity` counts operations only */
  readonly at: number;
  /** errno to fail with once, or `kill` to stop for good */
  readonly how: string;
  /** a write does the first half of its bytes before it goes wrong */
  readonly shortWrite?: boolean;
}

/** Wraps the machine's files; `operations()` tells how many were done. */
export function faultyFiles(fault: Fault): FileSystem & { operations(): number } {
  let count = 0;
  let dead = false;
  async function step<T>(operation: () => Promise<T>, before: () => Promise<void> = () => Promise.resolve()) {
    if (dead) throw new Killed();
    if (count++ !== fault.at) return await operation();
    await before();
    if (fault.how === "kill") {
      dead = true;
      throw new Killed();
    }
    throw Object.assign(new Error(`Injected ${fault.how}`), { code: fault.how });
  }
  const wrap = (handle: FileHandle): FileHandle => ({
    read: (into) => step(() => handle.read(into)),
    write: (bytes) =>
      step(() => handle.write(bytes), async () => {
        if (fault.shortWrite) await handle.write(bytes.subarray(0, bytes.length >> 1));
      }),
    seek: (offset) => step(() => handle.seek(offset)),
    truncate: (size) => step(() => handle.truncate(size)),
    sync: () => step(() => handle.sync()),
    status: () => step(() => handle.status()),
    tryLock: () => step(() => handle.tryLock()),
    close: () => handle.close(),
  });
  return {
    operations: () => count,
    open: (path, mode, permissions) => step(async () => wrap(await DENO_FILES.open(path, mode, permissions))),
    rename: (from, to) => step(() => DENO_FILES.rename(from, to)),
    remove: (path) => step(() => DENO_FILES.remove(path)),
    makeFolder: (path) => step(() => DENO_FILES.makeFolder(path)),
    readFolder: (path) => step(() => DENO_FILES.readFolder(path)),
    status: (path) => step(() => DENO_FILES.status(path)),
    realPath: (path) => step(() => DENO_FILES.realPath(path)),
    syncFolder: (path) => step(() => DENO_FILES.syncFolder(path)),
  };
}
