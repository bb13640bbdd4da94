/**
 * Snappy's block format, as Parquet's pages have it, by hysnappy. The decoder that hyparquet ships is not used: a damaged
 * literal length of four bytes sends it back without end. hysnappy in turn cuts or pads to the length that it is given,
 * so that the length which the block itself states is checked against it first.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
import { snappyUncompress } from "hysnappy";

/** The length that a block begins with, seven bits a byte, the lowest first. */
function statedLength(input: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = input[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new RangeError("a Snappy block states no length");
}

/**
 * Decompresses a block.
 *
 * @param length bytes that it must give
 * @throws {RangeError} if it gives more or fewer, or is damaged
 */
export function decompressSnappy(input: Uint8Array, length: number): Uint8Array {
  const stated = statedLength(input);
  if (stated !== length) throw new RangeError(`a Snappy block states ${stated} bytes, expected ${length}`);
  if (length === 0) return new Uint8Array();
  try {
    return snappyUncompress(input, length);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`a Snappy block is damaged: ${reason}`, { cause: error });
  }
}
