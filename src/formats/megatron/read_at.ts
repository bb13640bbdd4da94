/** Reading by offset. */
import { FROM_START } from "../../files/open_regular.ts";

/** Reads exactly `into.length` bytes at an offset; false if the file ends before. */
export function readAt(
  file: Deno.FsFile,
  offset: number,
  into: Uint8Array,
): boolean {
  file.seekSync(offset, FROM_START);
  for (let filled = 0; filled < into.length;) {
    const count = file.readSync(into.subarray(filled));
    if (count === null) return false;
    filled += count;
  }
  return true;
}
