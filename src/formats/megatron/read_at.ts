/** Reading by offset. */

/** Reads exactly `into.length` bytes at an offset; false if the file ends before. */
export function readAt(
  file: Deno.FsFile,
  offset: number,
  into: Uint8Array,
): boolean {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < into.length;) {
    const count = file.readSync(into.subarray(filled));
    if (count === null) return false;
    filled += count;
  }
  return true;
}
