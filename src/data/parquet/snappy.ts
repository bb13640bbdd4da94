/**
 * Snappy's block format, as Parquet's pages have it: a length, then elements that are literal bytes or copies of what
 * came before. Every length is checked against both ends, so that no damage can read, write or loop beyond them. The
 * decoder that hyparquet ships takes a literal's length of four bytes as a signed number, so that a damaged one sends it
 * back without end, which only a walk over all elements beforehand would prevent.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */

const ENDS_EARLY = "a Snappy block ends within an element";

/** A little-endian unsigned number of one to four bytes. */
function unsigned(input: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > input.length) throw new RangeError(ENDS_EARLY);
  let value = input[at] ?? 0;
  if (bytes > 1) value |= (input[at + 1] ?? 0) << 8;
  if (bytes > 2) value |= (input[at + 2] ?? 0) << 16;
  if (bytes > 3) value |= (input[at + 3] ?? 0) << 24;
  return value >>> 0;
}

/** The length that a block begins with, seven bits a byte, the lowest first; and where its elements begin. */
function preamble(input: Uint8Array): [length: number, at: number] {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = unsigned(input, at, 1);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return [length, at + 1];
  }
  throw new RangeError("a Snappy block states no length");
}

/**
 * Decompresses a block.
 *
 * @param length bytes that it must give; no more is allocated
 * @throws {RangeError} if it gives more or fewer, or is damaged
 */
export function decompressSnappy(input: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const [stated, start] = preamble(input);
  if (stated !== length) throw new RangeError(`a Snappy block states ${stated} bytes, expected ${length}`);
  const output = new Uint8Array(length);
  let at = start, filled = 0;
  while (at < input.length) {
    const tag = input[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      // Lengths up to 60 are in the tag; above, it says in how many bytes the length less one follows.
      const extra = Math.max(0, (tag >>> 2) - 59);
      const size = (extra === 0 ? tag >>> 2 : unsigned(input, at, extra)) + 1;
      at += extra;
      if (size > input.length - at) throw new RangeError(ENDS_EARLY);
      requireRoom(size, length - filled);
      copyForwards(input, at, output, filled, size);
      at += size;
      filled += size;
      continue;
    }
    const bytes = kind === 3 ? 4 : kind;
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const distance = unsigned(input, at, bytes) + (kind === 1 ? (tag >>> 5) << 8 : 0);
    at += bytes;
    if (distance === 0 || distance > filled) throw new RangeError("a Snappy block copies what is not there");
    requireRoom(size, length - filled);
    copyForwards(output, filled - distance, output, filled, size);
    filled += size;
  }
  if (filled !== length) throw new RangeError(`a Snappy block gives ${filled} bytes, expected ${length}`);
  return output;
}

function requireRoom(size: number, room: number): void {
  if (size > room) throw new RangeError("a Snappy block gives more bytes than it states");
}

/** Byte for byte: a copy may overlap what it writes, and then repeats it. */
function copyForwards(source: Uint8Array, from: number, target: Uint8Array, to: number, size: number): void {
  for (let i = 0; i < size; i++) target[to + i] = source[from + i] ?? 0;
}
