/**
 * The page headers of a column's chunk, walked before anything is decoded. The decoder believes lengths and counts, and
 * does not end on some that are wrong; here each is checked against the bytes that there are.
 *
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift `PageHeader`
 */

import { checkPageContents, type PageColumn } from "./page_contents.ts";
import { UnsupportedPage } from "./unsupported_page.ts";

/** Types of Thrift's compact protocol. */
const TYPE = { stop: 0, true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, struct: 12 };
/** Types of pages. */
const PAGE = { data: 0, dictionary: 2, dataV2: 3 };
/** Encodings by their numbers. */
const ENCODINGS: Readonly<Record<number, string>> = {
  0: "PLAIN",
  2: "PLAIN_DICTIONARY",
  3: "RLE",
  4: "BIT_PACKED",
  5: "DELTA_BINARY_PACKED",
  6: "DELTA_LENGTH_BYTE_ARRAY",
  7: "DELTA_BYTE_ARRAY",
  8: "RLE_DICTIONARY",
  9: "BYTE_STREAM_SPLIT",
};
/** Encodings of byte strings that the decoder has. */
const OF_STRINGS: readonly number[] = [0, 2, 6, 7, 8];
/** The encoding of levels that it has. */
const OF_LEVELS = 3;
/** Values of a page: nulls take no bytes, so that a page of a few could state any number of them. */
const MAX_PAGE_VALUES = 1 << 24;
/** Headers are two structs deep, with statistics three. */
const MAX_DEPTH = 8;
/** Bytes of a value's length before it, in a dictionary. */
const LENGTH_BYTES = 4;

/** A struct by the numbers of its fields, as far as they are whole numbers or structs. */
interface Fields {
  readonly numbers: ReadonlyMap<number, number>;
  readonly structs: ReadonlyMap<number, Fields>;
  readonly flags: ReadonlyMap<number, boolean>;
}

/** Reads Thrift's compact protocol. Beyond the end it throws. */
class CompactReader {
  at = 0;
  /** structs and elements of lists so far */
  structs = 0;

  constructor(readonly bytes: Uint8Array) {}

  #byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError("a page header ends early");
    return byte;
  }

  /** Of at most 32 bits, where a number is of interest; longer ones are passed over. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a page header has a number of more than 64 bits");
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #skip(bytes: number): void {
    if (bytes > this.bytes.length - this.at) throw new RangeError("a page header ends early");
    this.at += bytes;
  }

  struct(depth = 0): Fields {
    if (depth > MAX_DEPTH) throw new RangeError("a page header is too deep");
    const numbers = new Map<number, number>(), structs = new Map<number, Fields>(), flags = new Map<number, boolean>();
    this.structs++;
    for (let field = 0;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === TYPE.stop) return { numbers, structs, flags };
      field = head >> 4 === 0 ? this.#zigzag() : field + (head >> 4);
      if (type === TYPE.i32) numbers.set(field, this.#zigzag());
      else if (type === TYPE.struct) structs.set(field, this.struct(depth + 1));
      else if (type === TYPE.true || type === TYPE.false) flags.set(field, type === TYPE.true);
      else this.#pass(type, depth);
    }
  }

  /** Passes over a value. */
  #pass(type: number, depth: number): void {
    if (type === TYPE.byte || type === TYPE.true || type === TYPE.false) this.#skip(1);
    else if (type === TYPE.i16 || type === TYPE.i32 || type === TYPE.i64) this.#varint();
    else if (type === TYPE.double) this.#skip(8);
    else if (type === TYPE.binary) this.#skip(this.#varint());
    else if (type === TYPE.struct) this.struct(depth + 1);
    else if (type === TYPE.list) {
      const head = this.#byte();
      const count = head >> 4 === 15 ? this.#varint() : head >> 4;
      this.structs += count;
      for (let i = 0; i < count; i++) this.#pass(head & 15, depth + 1);
    } else throw new RangeError(`a page header has a field of the unknown type ${type}`);
  }
}

/** Structs and elements of lists in a description in Thrift's compact protocol, each of which takes 100 bytes or more. */
export function countThriftValues(bytes: Uint8Array): number {
  const reader = new CompactReader(bytes);
  reader.struct();
  return reader.structs;
}

function requireEncoding(what: string, found: number | undefined, known: readonly number[]): void {
  if (found === undefined || known.includes(found)) return;
  throw new UnsupportedPage(`a page has its ${what} encoded by ${ENCODINGS[found] ?? `the unknown number ${found}`}`);
}

function requireReadable(values: number): void {
  if (values <= MAX_PAGE_VALUES) return;
  throw new UnsupportedPage(`a page states ${values} values, and at most ${MAX_PAGE_VALUES} are read`);
}

/**
 * Walks the pages of a chunk.
 *
 * @param bytes the chunk
 * @param values that it is to hold, with nulls
 * @param hasLevels whether a value may be null, so that pages say which are
 * @param column how its pages are to be read; without it only headers are looked at
 * @returns bytes of all pages of values without compression, as their headers state them
 * @throws {RangeError} if the headers do not lead from the chunk's start to its end, or state what cannot be
 * @throws {UnsupportedPage} if a page is encoded as the decoder does not know
 */
export function checkPages(bytes: Uint8Array, values: number, hasLevels = true, column?: PageColumn): number {
  const reader = new CompactReader(bytes);
  let found = 0, bytesOfValues = 0;
  while (reader.at < bytes.length) {
    const { numbers, structs } = reader.struct();
    const room = bytes.length - reader.at;
    const number = (name: string, fields: Fields | undefined, field: number, max: number) => {
      const value = fields?.numbers.get(field);
      if (value !== undefined && value >= 0 && value <= max) return value;
      throw new RangeError(`a page states ${value ?? "no"} ${name}, expected at most ${max}`);
    };
    const header: Fields = { numbers, structs, flags: new Map() };
    const type = number("type", header, 1, PAGE.dataV2);
    const size = number("bytes", header, 2, 2 ** 31 - 1);
    const compressed = number("compressed bytes", header, 3, room);
    const contents = bytes.subarray(reader.at, reader.at + compressed);
    if (type !== PAGE.dictionary) bytesOfValues += size;
    if (type === PAGE.data) {
      const page = structs.get(5);
      const count = number("values", page, 1, values - found);
      requireReadable(count);
      found += count;
      requireEncoding("values", page?.numbers.get(2), OF_STRINGS);
      if (hasLevels) requireEncoding("nulls", page?.numbers.get(3), [OF_LEVELS]);
      const encoding = page?.numbers.get(2);
      const v1 = { form: "v1", values: count, nulls: 0, encoding, size, levelBytes: 0, isCompressed: true } as const;
      if (column !== undefined) checkPageContents(contents, v1, column);
    } else if (type === PAGE.dataV2) {
      const page = structs.get(8);
      const count = number("values", page, 1, values - found);
      requireReadable(count);
      const nulls = number("nulls", page, 2, count);
      number("rows", page, 3, count);
      requireEncoding("values", page?.numbers.get(4), OF_STRINGS);
      const levels = number("bytes of levels", page, 5, Math.min(size, compressed));
      const others = number("bytes of levels", page, 6, Math.min(size, compressed) - levels);
      found += count;
      if (column !== undefined) {
        checkPageContents(contents, {
          form: "v2",
          values: count,
          nulls,
          encoding: page?.numbers.get(4),
          size,
          levelBytes: levels + others,
          isCompressed: page?.flags.get(7) ?? true,
        }, column);
      }
    } else if (type === PAGE.dictionary) {
      number("values", structs.get(7), 1, Math.floor(size / LENGTH_BYTES));
    } else {
      throw new RangeError(`a page has the unknown type ${type}`);
    }
    reader.at += compressed;
  }
  if (found !== values) throw new RangeError(`the pages have ${found} values, expected ${values}`);
  return bytesOfValues;
}
