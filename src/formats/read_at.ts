/** Reading from an open file by offset. */
import type { FileHandle } from "../files/file_system.ts";

/** Fills a buffer from an offset in bytes; returns how many there were. */
export async function readAt(handle: FileHandle, offset: number, into: Uint8Array): Promise<number> {
  await handle.seek(offset);
  for (let done = 0; done < into.length;) {
    const count = await handle.read(into.subarray(done));
    if (count === null) return done;
    done += count;
  }
  return into.length;
}
