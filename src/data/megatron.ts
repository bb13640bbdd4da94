/**
 * Megatron's memory-mapped dataset, the format GPT-NeoX trains from: `.bin` holds the documents' tokens back to back
 * as little-endian uint16, `.idx` their sizes and places. Both are written and read piece by piece. Tokens of int32,
 * which GPT-NeoX writes for large vocabularies, are read too, as long as they fit 16 bits.
 *
 * `.idx`: "MMIDIDX\0\0"; u64 version 1; u8 type code (8 is uint16, 4 is int32); u64 N sequences; u64 D; from byte 34
 * int32 sizes[N] in tokens, int64 pointers[N] in bytes, int64 documents[D] with the first sequence of each document
 * and N.
 *
 * @see gpt-neox `megatron/data/indexed_dataset.py`, `MMapIndexedDataset`
 */
import { UserError } from "../errors.ts";
import { ByteWriter } from "./byte_writer.ts";
import { type DocumentPlace, HEADER_BYTES, MAGIC, MegatronIndex, readAt, VERSION } from "./megatron_index.ts";

export { readAt };

const UINT16_CODE = 8;
const TOKEN_BYTES = 2;
/** Index entries written at a time. */
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

/** An open `.bin`/`.idx` pair, read by offset. */
export class IndexedDataset {
  readonly #path: string;
  readonly #tokens: Deno.FsFile;
  readonly #index: MegatronIndex;

  private constructor(path: string, tokens: Deno.FsFile, index: MegatronIndex) {
    this.#path = path;
    this.#tokens = tokens;
    this.#index = index;
    const bytes = tokens.statSync().size;
    const expected = index.tokens * index.tokenBytes;
    if (bytes !== expected) {
      throw index.damaged(`describes ${expected} bytes of tokens, but "${path}.bin" has ${bytes}`);
    }
  }

  /**
   * Opens `path.bin` and `path.idx`.
   *
   * @throws {UserError} `DAMAGED_DATASET` if the two are not a whole pair of this format
   */
  static open(path: string): IndexedDataset {
    const tokens = Deno.openSync(`${path}.bin`);
    let index: MegatronIndex | undefined;
    try {
      index = MegatronIndex.open(`${path}.idx`);
      return new IndexedDataset(path, tokens, index);
    } catch (error) {
      tokens.close();
      index?.close();
      throw error;
    }
  }

  /** sequences, which are the documents in files that this project writes */
  get sequences(): number {
    return this.#index.sequences;
  }

  /** length of the token stream */
  get tokens(): number {
    return this.#index.tokens;
  }

  /** Where a sequence lies, from the `.idx`. */
  place(sequence: number): DocumentPlace {
    return this.#index.place(sequence);
  }

  /**
   * Tokens of each sequence, shape (sequences), after the whole index was checked.
   *
   * @throws {UserError} `DAMAGED_DATASET`
   */
  readSizes(): Int32Array {
    return this.#index.readSizes();
  }

  /**
   * Fills `into` with the tokens from `start` on.
   *
   * @throws {RangeError} if the stream has not so many
   * @throws {UserError} `TOKEN_TOO_LARGE` if an int32 token does not fit 16 bits
   */
  read(start: number, into: Uint16Array): void {
    const { tokenBytes: width } = this.#index;
    const wide = width === TOKEN_BYTES ? undefined : new Int32Array(into.length);
    const bytes = wide === undefined ? tokenBytes(into) : new Uint8Array(wide.buffer);
    if (start < 0 || start + into.length > this.tokens || !readAt(this.#tokens, start * width, bytes)) {
      throw new RangeError(
        `Tokens ${start} to ${start + into.length} of "${this.#path}", which has ${this.tokens}`,
      );
    }
    if (wide === undefined) return;
    for (const [i, token] of wide.entries()) {
      if (token < 0 || token > 65535) throw tooLarge(`${this.#path}.bin`, start + i, token);
      into[i] = token;
    }
  }

  /** Closes both files. */
  close(): void {
    this.#tokens.close();
    this.#index.close();
  }
}

function tooLarge(path: string, at: number, token: number): UserError {
  return new UserError(
    "TOKEN_TOO_LARGE",
    `Token ${at} of "${path}" is ${token}, and ids from 0 to 65535 are expected`,
    "tokenise the text with a vocabulary of at most 65,536 ids",
  );
}
