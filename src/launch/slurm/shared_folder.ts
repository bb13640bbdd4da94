/** Whether other nodes can see a folder, as far as one node can tell. */
import { statfs } from "node:fs/promises";

/** File systems of one machine, by the numbers of Linux' `statfs(2)`. */
const OF_ONE_MACHINE: ReadonlyMap<number, string> = new Map([
  [0x0102_1994, "tmpfs"],
  [0x8584_58f6, "ramfs"],
  [0x794c_7630, "overlayfs"],
  [0xef53, "ext4"],
  [0x5846_5342, "xfs"],
  [0x9123_683e, "btrfs"],
]);

/**
 * The kind of a folder's file system where it is one of this machine's; undefined where it is a network's, or not known.
 * A disk of this machine may be exported to others all the same.
 */
export async function localFileSystem(folder: string): Promise<string | undefined> {
  // Asked before use, so that a process without the permission is not stopped by a prompt.
  if (Deno.permissions.querySync({ name: "sys", kind: "statfs" }).state !== "granted") return undefined;
  try {
    return OF_ONE_MACHINE.get((await statfs(folder)).type >>> 0);
  } catch {
    return undefined;
  }
}
