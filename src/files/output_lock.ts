/** One process in an output folder at a time, and one plan in it. */
import { sha256, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "./deno_file_system.ts";
import { folderOf, makeFolderDurably, removeLeftovers, syncFolders, writeAll, writeFileDurably } from "./durable.ts";
import { fileError } from "./file_error.ts";
import type { FileHandle, FileSystem } from "./file_system.ts";
import { isLockRefused } from "./lock_refused.ts";
import { readFileBounded } from "./read_file.ts";

/** Name of the lock's file in the output folder; it stays there, empty, when the process ends. */
export const LOCK_FILE = ".lock";
/** Name of the plan's file in the output folder. */
export const PLAN_FILE = "plan.json";
const MAX_PLAN_BYTES = 64 << 20;
const MAX_LOCK_BYTES = 4096;

/** Who holds a folder. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601, UTC */
  readonly startedAt: string;
}

/** A lock that is held. Released by `release()`, by `await using`, or by the system when the process ends. */
export interface OutputLock extends AsyncDisposable {
  /** the process that held the folder and ended without releasing it, to be told to the user */
  readonly tookOverFrom?: LockOwner;
  release(): Promise<void>;
}

function thisProcess(): LockOwner {
  // Asked before use, so that a process without the permission is not stopped by a prompt.
  const maySayHost = Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state ===
    "granted";
  return {
    pid: Deno.pid,
    host: maySayHost ? Deno.hostname() : "this machine",
    startedAt: new Date().toISOString(),
  };
}

async function readOwner(handle: FileHandle): Promise<LockOwner | undefined> {
  try {
    await handle.seek(0);
    const buffer = new Uint8Array(MAX_LOCK_BYTES);
    const count = await handle.read(buffer);
    if (count === null) return undefined;
    const owner: unknown = JSON.parse(
      new TextDecoder().decode(buffer.subarray(0, count)),
    );
    if (typeof owner !== "object" || owner === null) return undefined;
    if (!("pid" in owner && "host" in owner && "startedAt" in owner)) {
      return undefined;
    }
    const { pid, host, startedAt } = owner;
    if (
      typeof pid !== "number" || typeof host !== "string" ||
      typeof startedAt !== "string"
    ) return undefined;
    return { pid, host, startedAt };
  } catch {
    // Half-written by a process that was killed, or not readable while it is locked (Windows).
    return undefined;
  }
}

/**
 * Takes an output folder for this process; makes it where it is missing, removes temporary files that a killed process
 * left at its top, and flushes what it finds to the disk.
 *
 * The lock is the operating system's own (flock): a process that dies frees it, so that a stale lock file never stands
 * in the way.
 *
 * Call {@linkcode requireOwnFolder} first: the lock is written, and in a folder of other things nothing may be.
 *
 * @throws {UserError} `OUTPUT_FOLDER_IN_USE`, naming the process that holds it; `OUTPUT_FOLDER_WITHOUT_LOCKS` where the
 * file system has none; `IS_A_LINK` where the lock would be written through a link
 */
export async function lockOutputFolder(
  folder: string,
  files: FileSystem = DENO_FILES,
): Promise<OutputLock> {
  await makeFolderDurably(folder, files);
  const path = `${folder}/${LOCK_FILE}`;
  let handle: FileHandle | undefined;
  try {
    handle = await files.open(path, "update");
    if (!await tryLock(handle, folder)) throw inUse(folder, await readOwner(handle));
    const previous = await readOwner(handle);
    await handle.truncate(0);
    await handle.seek(0);
    await writeAll(
      handle,
      new TextEncoder().encode(`${JSON.stringify(thisProcess())}\n`),
    );
    await removeLeftovers(folder, files);
    // An earlier process may have ended between a change and its flush, and this one will build on what it finds.
    await syncFolders(folder, files);
    await files.syncFolder(folderOf(folder));
    return heldLock(handle, previous);
  } catch (error) {
    handle?.close();
    throw fileError(error, "lock", path);
  }
}

async function tryLock(handle: FileHandle, folder: string): Promise<boolean> {
  try {
    return await handle.tryLock();
  } catch (error) {
    if (!isLockRefused(error)) throw error;
    throw new UserError(
      "OUTPUT_FOLDER_WITHOUT_LOCKS",
      `The file system of the output folder "${folder}" has no locks, without which two commands could write to it at once`,
      "workers (reproduce --join) do without; plan in a folder on a disk with locks, copy its plan.json here for them, and " +
        "gather what they leave: deno task conclude FOLDER-WITH-LOCKS --runs THIS-FOLDER",
      { cause: error },
    );
  }
}

function heldLock(
  handle: FileHandle,
  previous: LockOwner | undefined,
): OutputLock {
  let held = true;
  const release = async () => {
    if (!held) return;
    held = false;
    try {
      // An empty file says that the owner ended in order. It is not removed: another process may have it open already.
      await handle.truncate(0);
    } catch {
      // The next owner is then told of a stale lock, which it takes over all the same.
    } finally {
      handle.close();
    }
  };
  return {
    tookOverFrom: previous,
    release,
    [Symbol.asyncDispose]: release,
  };
}

function inUse(folder: string, owner: LockOwner | undefined): UserError {
  const who = owner === undefined
    ? "another process"
    : `process ${owner.pid} on ${owner.host}, started ${owner.startedAt}`;
  return new UserError(
    "OUTPUT_FOLDER_IN_USE",
    `The output folder "${folder}" is in use by ${who}`,
    "wait until it ends, stop it, or choose another folder with --out DIR",
  );
}

/**
 * Makes sure that an output folder belongs to a plan: writes `plan.json` into an empty folder, and accepts a folder
 * that holds the same plan.
 *
 * @param plan the bytes of `plan.json`, the same for the same plan
 * @param isCompatible called with the bytes found where they differ; `true` accepts the folder and writes `plan`
 * @throws {UserError} `OUTPUT_FOLDER_OF_ANOTHER_PLAN` or `OUTPUT_FOLDER_NOT_OURS`; nothing is changed then
 */
export async function claimOutputFolder(
  folder: string,
  plan: string,
  isCompatible: (found: Uint8Array) => boolean = () => false,
  files: FileSystem = DENO_FILES,
): Promise<void> {
  if (await requireOwnFolder(folder, plan, isCompatible, files)) return;
  await writeFileDurably(`${folder}/${PLAN_FILE}`, plan, { files });
}

/**
 * Refuses a folder that {@linkcode claimOutputFolder} would refuse, and only looks.
 *
 * @returns whether this very plan is there
 */
export async function requireOwnFolder(
  folder: string,
  plan: string,
  isCompatible: (found: Uint8Array) => boolean = () => false,
  files: FileSystem = DENO_FILES,
): Promise<boolean> {
  const path = `${folder}/${PLAN_FILE}`;
  if (!await hasPlan(folder, path, files)) return false;
  const found = await readFileBounded(path, MAX_PLAN_BYTES, files);
  const foundDigest = sha256(found);
  const digest = sha256(plan);
  if (foundDigest === digest) return true;
  if (isCompatible(found)) return false;
  throw new UserError(
    "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
    `The output folder "${folder}" belongs to the plan ${shortDigest(foundDigest)}, and this is plan ${
      shortDigest(digest)
    }`,
    "choose another folder with --out DIR, or remove this one if its results are no longer needed",
  );
}

/**
 * Whether a folder has a plan; without one it is empty, or not there yet.
 *
 * @throws {UserError} `OUTPUT_FOLDER_NOT_OURS`
 */
async function hasPlan(
  folder: string,
  path: string,
  files: FileSystem,
): Promise<boolean> {
  let at = path;
  try {
    if ((await files.status(path)) !== undefined) return true;
    at = folder;
    if ((await files.status(folder)) === undefined) return false;
    const strangers = (await files.readFolder(folder)).filter((name) => !name.startsWith("."));
    if (strangers.length === 0) return false;
    throw new UserError(
      "OUTPUT_FOLDER_NOT_OURS",
      `The output folder "${folder}" has no ${PLAN_FILE} but holds "${strangers[0]}"`,
      "choose an empty or new folder with --out DIR",
    );
  } catch (error) {
    throw fileError(error, "read", at);
  }
}
