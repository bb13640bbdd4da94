/**
 * The runs and lengths inside a page, walked before it is decoded. A run of a few bytes states how often a value is
 * repeated, and a text how much it shares with the one before; the decoder believes both, and would fill all memory.
 *
 * @see https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
import { PARQUET_CODECS } from "./codecs.ts";
import { UnsupportedPage } from "./unsupported_page.ts";

/** Values beyond those of a page that its last run may have: it is filled up to whole groups. */
const SLACK = 512;
/** Bytes of all texts of a page that share their beginnings, written out. */
const MAX_SHARED_BYTES = 1 << 28;
/** Encodings by their numbers. */
const PLAIN_DICTIONARY = 2, DELTA_BYTE_ARRAY = 7, RLE_DICTIONARY = 8;

/** What a page's header says of it. */
export interface PageHeader {
  /** how levels stand in it: before the values and compressed with them, or apart */
  readonly form: "v1" | "v2";
  /** values, with nulls */
  readonly values: number;
  /** nulls, where the header says */
  readonly nulls: number;
  /** of the values, by its number in Parquet */
  readonly encoding: number | undefined;
  /** bytes without compression, levels included */
  readonly size: number;
  /** bytes of levels before the values; of the second form only */
  readonly levelBytes: number;
  readonly isCompressed: boolean;
}

/** What the column's description says of all its pages. */
export interface PageColumn {
  /** how often on its path a value may be missing */
  readonly maxLevel: number;
  /** name of its codec in Parquet; undefined if it has none */
  readonly codec: string | undefined;
}

/**
 * Walks what a page holds.
 *
 * @param bytes as they lie in the file, after the header
 * @throws {RangeError} if a run is longer than the page has values, or leads beyond its end
 * @throws {UnsupportedPage} if its texts take too much room when they are written out
 */
export function checkPageContents(bytes: Uint8Array, header: PageHeader, { maxLevel, codec }: PageColumn): void {
  const decompress = (input: Uint8Array, length: number): Uint8Array => {
    const decompressor = header.isCompressed ? PARQUET_CODECS[codec as keyof typeof PARQUET_CODECS] : undefined;
    return decompressor === undefined ? input : decompressor(input, length);
  };
  const levelWidth = 32 - Math.clz32(maxLevel);
  let contents: Uint8Array;
  if (header.form === "v1") {
    contents = decompress(bytes, header.size);
    if (maxLevel > 0) {
      if (contents.length < 4) throw new RangeError("a page ends in its levels");
      const { buffer, byteOffset } = contents;
      const end = 4 + new DataView(buffer, byteOffset).getUint32(0, true);
      walkRuns(contents.subarray(4, end), levelWidth, header.values);
      contents = contents.subarray(end);
    }
  } else {
    if (header.levelBytes > 0) walkRuns(bytes.subarray(0, header.levelBytes), levelWidth, header.values);
    contents = decompress(bytes.subarray(header.levelBytes), header.size - header.levelBytes);
  }
  const { encoding, values, nulls } = header;
  if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
    const width = contents[0] ?? 0;
    if (width > 0 || header.form === "v2") walkRuns(contents.subarray(1), width, values - nulls);
  } else if (encoding === DELTA_BYTE_ARRAY) requireFewShared(contents, values);
}

/** Runs of values, or of groups of eight, until there are enough; those of nulls are not needed and may be missing. */
function walkRuns(bytes: Uint8Array, width: number, values: number): void {
  const reader = new VarintReader(bytes);
  for (let seen = 0; seen < values && reader.at < bytes.length;) {
    // As the decoder reads it: 32 bits, with a sign.
    const head = reader.next() | 0;
    const isPacked = (head & 1) === 1;
    const count = isPacked ? head >> 1 << 3 : head >>> 1;
    if (count < 0 || count > values - seen + SLACK) {
      throw new RangeError(`a page has a run of ${count} values after ${seen} of ${values}`);
    }
    seen += count;
    // The decoder reads a byte of packed values even where there are none.
    reader.at += isPacked ? Math.max(1, count / 8 * width) : (width + 7) >> 3;
  }
}

/** Texts by how much each shares with the one before: an array of these lengths, then one of those of the rest. */
function requireFewShared(bytes: Uint8Array, values: number): void {
  const reader = new VarintReader(bytes);
  let shared = 0;
  eachDelta(reader, values, (length) => {
    if (length < 0) throw new RangeError(`a page has a text that shares ${length} bytes`);
    shared += length;
    if (shared > MAX_SHARED_BYTES) {
      throw new UnsupportedPage(`a page shares more than ${MAX_SHARED_BYTES} bytes between its texts`);
    }
  });
}

/** Calls `use` with numbers that are stored by their differences. */
function eachDelta(reader: VarintReader, values: number, use: (value: number) => void): void {
  const blockSize = reader.next(), blocks = reader.next();
  const total = Math.min(values, reader.next());
  const perBlock = blocks === 0 ? 0 : blockSize / blocks;
  let value = reader.zigzag();
  if (total > 0) use(value);
  for (let done = 1; done < total;) {
    const least = reader.zigzag();
    const widths = reader.at;
    if (!(perBlock > 0) || widths + blocks > reader.bytes.length) {
      throw new RangeError("a page has blocks of no values");
    }
    reader.at += blocks;
    for (let block = 0; block < blocks && done < total; block++) {
      const width = reader.bytes[widths + block] ?? 0;
      const start = 8 * reader.at;
      for (let i = 0; i < perBlock && done < total; i++, done++) {
        value = (value + least + bits(reader.bytes, start + i * width, width)) | 0;
        use(value);
      }
      reader.at += Math.ceil(perBlock * width / 8);
    }
  }
}

/** So many bits from a place on, the lowest first; beyond 32 they do not count. */
function bits(bytes: Uint8Array, from: number, width: number): number {
  let value = 0;
  for (let bit = 0; bit < width && bit < 32; bit++) {
    const at = from + bit;
    value |= (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) << bit;
  }
  return value;
}

/** Numbers of seven bits a byte. */
class VarintReader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  next(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError("a page ends in a number");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a page has a number of more than 64 bits");
  }

  zigzag(): number {
    const value = this.next();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
