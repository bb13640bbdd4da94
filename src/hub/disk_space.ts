/** Whether a disk has room, before a download begins. */
import { statfs } from "node:fs/promises";
import { UserError } from "../errors.ts";

/** Left free whatever is downloaded, in bytes. */
const RESERVE = 256 << 20;

/** Bytes that a folder's disk has free for this user; `undefined` if they cannot be asked for. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  // Asked before use, so that a process without the permission is not stopped by a prompt.
  if (Deno.permissions.querySync({ name: "sys", kind: "statfs" }).state !== "granted") return undefined;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** @throws {UserError} `NO_SPACE` if that many bytes do not fit */
export function requireSpace(folder: string, needed: number, free: number | undefined): void {
  if (needed === 0 || free === undefined || needed + RESERVE <= free) return;
  throw new UserError(
    "NO_SPACE",
    `The download needs ${gigabytes(needed)} GB in "${folder}", and its disk has ${gigabytes(free)} GB free`,
    "free some space, or let .cache be a link to a larger disk",
  );
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0);
}
