/** A file layer that fails, or stops as a killed process does, at its operation number N. */
import { DENO_FILES } from "../../src/files/deno_file_system.ts";
import type { FileHandle, FileSystem } from "../../src/files/file_system.ts";

/** Thrown where a killed process would have stopped: from then on every operation throws it. */
export class Killed extends Error {}

/** Which operation goes wrong, and how. */
export interface Fault {
  /** from 0; `Infinity` counts operations only */
  readonly at: number;
  /**
   * errno to fail with once, `kill` to stop for good, or `short`: a write does some of its bytes and says so, which is
   * no fault
   */
  readonly how: string;
  /** a write does the first half of its bytes before it goes wrong */
  readonly shortWrite?: boolean;
}

/** What an operation can do to a disk; the others only look. */
const CHANGES = ["open", "rename", "remove", "makeFolder", "syncFolder", "write", "truncate", "sync"] as const;

/** An operation that was begun. */
export interface Operation {
  /** method of the file system or of a handle */
  readonly name: keyof FileSystem | Exclude<keyof FileHandle, "close">;
  /** for a rename the new name */
  readonly path: string;
  /** whether it may have changed something */
  readonly changes: boolean;
}

/** What {@linkcode faultyFiles} makes. */
export interface FaultyFiles extends FileSystem {
  /** operations so far, the one that went wrong included */
  operations(): number;
}

/**
 * Wraps a file layer.
 *
 * @param files the machine's by default
 * @param onOperation sees every operation before it is done, with its number
 */
export function faultyFiles(
  fault: Fault,
  files: FileSystem = DENO_FILES,
  onOperation: (operation: Operation, number: number) => void = () => {},
): FaultyFiles {
  let count = 0;
  let dead = false;

  async function step<T>(
    name: Operation["name"],
    path: string,
    operation: () => Promise<T>,
    half?: () => Promise<T>,
  ): Promise<T> {
    if (dead) throw new Killed();
    onOperation({ name, path, changes: CHANGES.some((change) => change === name) }, count);
    if (count++ !== fault.at) return await operation();
    if (fault.how === "short" && half !== undefined) return await half();
    if (fault.shortWrite === true) await half?.();
    if (fault.how === "kill") {
      dead = true;
      throw new Killed();
    }
    throw Object.assign(new Error(`Injected ${fault.how}`), { code: fault.how });
  }

  const wrap = (handle: FileHandle, path: string): FileHandle => ({
    read: (into) => step("read", path, () => handle.read(into)),
    write: (bytes) =>
      step("write", path, () => handle.write(bytes), () => handle.write(bytes.subarray(0, (bytes.length + 1) >> 1))),
    seek: (offset) => step("seek", path, () => handle.seek(offset)),
    truncate: (size) => step("truncate", path, () => handle.truncate(size)),
    sync: () => step("sync", path, () => handle.sync()),
    status: () => step("status", path, () => handle.status()),
    tryLock: () => step("tryLock", path, () => handle.tryLock()),
    close: () => handle.close(),
  });
  return {
    operations: () => count,
    open: (path, mode, permissions) =>
      step("open", path, async () => wrap(await files.open(path, mode, permissions), path)),
    rename: (from, to) => step("rename", to, () => files.rename(from, to)),
    remove: (path) => step("remove", path, () => files.remove(path)),
    makeFolder: (path) => step("makeFolder", path, () => files.makeFolder(path)),
    readFolder: (path) => step("readFolder", path, () => files.readFolder(path)),
    status: (path) => step("status", path, () => files.status(path)),
    realPath: (path) => step("realPath", path, () => files.realPath(path)),
    syncFolder: (path) => step("syncFolder", path, () => files.syncFolder(path)),
  };
}
