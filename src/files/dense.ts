/**
 * Sparse files: their size is what they state, and most of it lies on no disk. A few kilobytes may so stand for
 * terabytes of zeros, which whoever reads them spends hours on.
 */
import { UserError } from "../errors.ts";

/** Files of this size are read whatever of them lies on the disk. */
const SMALL_BYTES = 1 << 26;
/** Beyond it, bytes for each byte on the disk: more than file systems that compress make of weights, text or tokens. */
const MOST_PER_BYTE = 64;
/** Unit of `blocks`, in bytes (POSIX `st_blocks` as all systems count it). */
const BLOCK_BYTES = 512;

/**
 * Refuses a file that is larger than what lies of it on the disk can be. Where the system does not say how much that
 * is, every file passes.
 *
 * @throws {UserError} `SPARSE_FILE`
 */
export function requireDense(path: string, { size, blocks }: Pick<Deno.FileInfo, "size" | "blocks">): void {
  if (blocks === null || size <= SMALL_BYTES) return;
  const onDisk = BLOCK_BYTES * blocks;
  if (size <= SMALL_BYTES + MOST_PER_BYTE * onDisk) return;
  throw new UserError(
    "SPARSE_FILE",
    `"${path}" states ${size} bytes, and only ${onDisk} of them are on the disk`,
    "it was made with holes or never written to its end: restore it, or copy it if the file system says so of all files",
  );
}
