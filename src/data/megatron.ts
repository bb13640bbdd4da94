/**
 * Megatron's memory-mapped dataset, the format GPT-NeoX trains from: `.bin` holds the documents' tokens back to back
 * as little-endian uint16, `.idx` their sizes and places. Both are written and read piece by piece.
 *
 * `.idx`: "MMIDIDX\0\0"; u64 version 1; u8 type code (8 is uint16); u64 N sequences; u64 D; from byte 34 int32
 * sizes[N] in tokens, int64 pointers[N] in bytes, int64 documents[D] with the first sequence of each document and N.
 *
 * @see gpt-neox `megatron/data/indexed_dataset.py`, `MMapIndexedDataset`
 */
import { UserError } from "../errors.ts";
import { ByteWriter } from "./byte_writer.ts";

const MAGIC = new TextEncoder().encode("MMIDIDX\0\0");
const VERSION = 1;
const UINT16_CODE = 8;
const HEADER_BYTES = 34;
const TOKEN_BYTES = 2;
/** Index entries written or read at a time. */
const ENTRIES = 4096;

/** Bytes of tokens as Megatron stores them. Every platform that Deno runs on is little-endian. */
export function tokenBytes(tokens: Uint16Array): Uint8Array {
  return new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
}

/**
 * Writes an `.idx` for documents of one sequence each, without holding their sizes.
 *
 * @param sizes gives the documents' sizes in tokens, in order, afresh at each call
 * @param onFlush sees all bytes in their order, for a digest
 */
export function writeIndex(
  path: string,
  documents: number,
  sizes: () => Iterable<number>,
  onFlush?: (bytes: Uint8Array) => void,
): void {
  const writer = new ByteWriter(path, onFlush);
  try {
    const header = new Uint8Array(HEADER_BYTES);
    header.set(MAGIC);
    const view = new DataView(header.buffer);
    view.setBigUint64(9, BigInt(VERSION), true);
    view.setUint8(17, UINT16_CODE);
    view.setBigUint64(18, BigInt(documents), true);
    view.setBigUint64(26, BigInt(documents + 1), true);
    writer.write(header);
    writeEntries(
      writer,
      4,
      sizes(),
      (entry, at, size) => entry.setInt32(at, size, true),
    );
    let pointer = 0;
    writeEntries(writer, 8, sizes(), (entry, at, size) => {
      entry.setBigInt64(at, BigInt(pointer), true);
      pointer += size * TOKEN_BYTES;
    });
    writeEntries(
      writer,
      8,
      upTo(documents),
      (entry, at, document) => entry.setBigInt64(at, BigInt(document), true),
    );
    writer.finish(true);
  } finally {
    writer.close();
  }
}

function* upTo(last: number): Generator<number, void> {
  for (let i = 0; i <= last; i++) yield i;
}

function writeEntries(
  writer: ByteWriter,
  width: number,
  values: Iterable<number>,
  set: (view: DataView, at: number, value: number) => void,
): void {
  const buffer = new Uint8Array(width * ENTRIES);
  const view = new DataView(buffer.buffer);
  let filled = 0;
  for (const value of values) {
    set(view, filled, value);
    filled += width;
    if (filled === buffer.length) {
      writer.write(buffer);
      filled = 0;
    }
  }
  writer.write(buffer.subarray(0, filled));
}

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

/** One document's place in the token stream. */
export interface DocumentPlace {
  /** index of its first token in the `.bin` */
  readonly start: number;
  /** in tokens, the end included */
  readonly length: number;
}

/** An open `.bin`/`.idx` pair, read by offset. */
export class IndexedDataset {
  readonly #path: string;
  readonly #tokens: Deno.FsFile;
  readonly #index: Deno.FsFile;
  /** sequences, which are the documents in files that this project writes */
  readonly sequences: number;
  /** length of the token stream */
  readonly tokens: number;

  private constructor(path: string, tokens: Deno.FsFile, index: Deno.FsFile) {
    this.#path = path;
    this.#tokens = tokens;
    this.#index = index;
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    if (
      !readAt(index, 0, header) || MAGIC.some((byte, i) => header[i] !== byte)
    ) {
      throw this.#damaged(
        "is no Megatron index: it does not begin with MMIDIDX",
      );
    }
    const version = view.getBigUint64(9, true);
    if (version !== BigInt(VERSION)) {
      throw this.#damaged(`has version ${version}, expected ${VERSION}`);
    }
    const code = view.getUint8(17);
    if (code !== UINT16_CODE) {
      throw this.#damaged(
        `has type code ${code}, expected ${UINT16_CODE} (uint16)`,
      );
    }
    this.sequences = Number(view.getBigUint64(18, true));
    const documents = Number(view.getBigUint64(26, true));
    const expectedBytes = HEADER_BYTES + 12 * this.sequences + 8 * documents;
    const indexBytes = index.statSync().size;
    if (indexBytes !== expectedBytes) {
      throw this.#damaged(
        `has ${indexBytes} bytes, but ${this.sequences} sequences and ${documents} documents need ${expectedBytes}`,
      );
    }
    const last = this.sequences === 0 ? { start: 0, length: 0 } : this.place(this.sequences - 1);
    this.tokens = last.start + last.length;
    const bytes = tokens.statSync().size;
    if (bytes !== this.tokens * TOKEN_BYTES) {
      throw this.#damaged(
        `describes ${this.tokens * TOKEN_BYTES} bytes of tokens, but "${path}.bin" has ${bytes}`,
      );
    }
  }

  /**
   * Opens `path.bin` and `path.idx`.
   *
   * @throws {UserError} `DAMAGED_DATASET` if the two are not a whole pair of this format
   */
  static open(path: string): IndexedDataset {
    const tokens = Deno.openSync(`${path}.bin`);
    let index: Deno.FsFile | undefined;
    try {
      index = Deno.openSync(`${path}.idx`);
      return new IndexedDataset(path, tokens, index);
    } catch (error) {
      tokens.close();
      index?.close();
      throw error;
    }
  }

  #damaged(problem: string): UserError {
    return new UserError(
      "DAMAGED_DATASET",
      `"${this.#path}.idx" ${problem}`,
      "prepare the data again",
    );
  }

  /** Where a sequence lies, from the `.idx`. */
  place(sequence: number): DocumentPlace {
    const size = new DataView(new ArrayBuffer(4)),
      pointer = new DataView(new ArrayBuffer(8));
    const pointers = HEADER_BYTES + 4 * this.sequences;
    if (
      sequence < 0 || sequence >= this.sequences ||
      !readAt(
        this.#index,
        HEADER_BYTES + 4 * sequence,
        new Uint8Array(size.buffer),
      ) ||
      !readAt(
        this.#index,
        pointers + 8 * sequence,
        new Uint8Array(pointer.buffer),
      )
    ) {
      throw new RangeError(
        `Sequence ${sequence} of "${this.#path}", which has ${this.sequences}`,
      );
    }
    return {
      start: Number(pointer.getBigInt64(0, true)) / TOKEN_BYTES,
      length: size.getInt32(0, true),
    };
  }

  /** Fills `into` with the tokens from `start` on. */
  read(start: number, into: Uint16Array): void {
    if (
      start < 0 || start + into.length > this.tokens ||
      !readAt(this.#tokens, start * TOKEN_BYTES, tokenBytes(into))
    ) {
      throw new RangeError(
        `Tokens ${start} to ${start + into.length} of "${this.#path}", which has ${this.tokens}`,
      );
    }
  }

  close(): void {
    this.#tokens.close();
    this.#index.close();
  }
}
