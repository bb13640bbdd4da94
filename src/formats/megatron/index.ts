/**
 * The `.idx` of a Megatron dataset: how long its sequences are, and where they lie in the `.bin`.
 *
 * "MMIDIDX\0\0"; u64 version 1; u8 type code (8 is uint16, 4 is int32); u64 N sequences; u64 D; from byte 34
 * int32 sizes[N] in tokens, int64 pointers[N] in bytes, int64 documents[D] with the first sequence of each document
 * and N.
 *
 * @see gpt-neox `megatron/data/indexed_dataset.py`, `MMapIndexedDataset`
 */
import { UserError } from "../../errors.ts";
import { fileError } from "../../files/file_error.ts";
import { openRegularSync } from "../../files/open_regular.ts";
import { readAt } from "./read_at.ts";

/** "MMIDIDX\0\0" */
export const MAGIC: Uint8Array = new TextEncoder().encode("MMIDIDX\0\0");
/** What the files of the format's predecessor begin with. */
const OLD_MAGIC = "TNTIDX";
/** the only one */
export const VERSION = 1;
/** before the sizes */
export const HEADER_BYTES = 34;

/** Types of tokens that are read, by their code: GPT-NeoX writes int32 for vocabularies of 65,500 ids and more. */
const TOKEN_BYTES: Readonly<Record<number, 2 | 4>> = { 8: 2, 4: 4 };
/** Index entries read at a time. */
const ENTRIES = 1 << 16;

/** One sequence's place in the token stream. */
export interface DocumentPlace {
  /** index of its first token in the `.bin` */
  readonly start: number;
  /** in tokens, the end included */
  readonly length: number;
}

/** An open `.idx`, read by offset. */
export class MegatronIndex {
  /** with its ending */
  readonly path: string;
  readonly #file: Deno.FsFile;
  /** sequences, which are the documents in files that this project writes */
  readonly sequences: number;
  /** entries of the list of documents: their number and one more */
  readonly #documents: number;
  /** bytes of a token in the `.bin`: 2 for uint16, 4 for int32 */
  readonly tokenBytes: 2 | 4;
  /** length of the token stream */
  readonly tokens: number;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    const isWhole = readAt(file, 0, header);
    if (new TextDecoder().decode(header.subarray(0, OLD_MAGIC.length)) === OLD_MAGIC) {
      throw this.#unsupported("is of the older format that GPT-NeoX calls cached or lazy, and only mmap is read");
    }
    if (!isWhole || MAGIC.some((byte, i) => header[i] !== byte)) {
      throw this.damaged("is no Megatron index: it does not begin with MMIDIDX");
    }
    const version = view.getBigUint64(9, true);
    if (version !== BigInt(VERSION)) throw this.#unsupported(`has version ${version}, expected ${VERSION}`);
    const code = view.getUint8(17);
    const tokenBytes = TOKEN_BYTES[code];
    if (tokenBytes === undefined) {
      throw this.#unsupported(`has type code ${code}, expected 8 (uint16) or 4 (int32)`);
    }
    this.tokenBytes = tokenBytes;
    this.sequences = Number(view.getBigUint64(18, true));
    this.#documents = Number(view.getBigUint64(26, true));
    const expectedBytes = HEADER_BYTES + 12 * this.sequences + 8 * this.#documents;
    const bytes = file.statSync().size;
    if (bytes !== expectedBytes) {
      throw this.damaged(
        `has ${bytes} bytes, but ${this.sequences} sequences and ${this.#documents} documents need ${expectedBytes}`,
      );
    }
    const last = this.sequences === 0 ? { start: 0, length: 0 } : this.place(this.sequences - 1);
    this.tokens = last.start + last.length;
  }

  /**
   * Opens an index.
   *
   * @param path with its ending
   * @throws {UserError} `DAMAGED_DATASET` if it is not of this format, `UNSUPPORTED_DATASET` if it is of another form of
   * it; if it is missing or cannot be read
   */
  static open(path: string): MegatronIndex {
    let file: Deno.FsFile | undefined;
    try {
      file = openRegularSync(path, "read");
      return new MegatronIndex(path, file);
    } catch (error) {
      file?.close();
      throw fileError(error, "read", path);
    }
  }

  #unsupported(problem: string): UserError {
    return new UserError(
      "UNSUPPORTED_DATASET",
      `"${this.path}" ${problem}`,
      'tokenise the text again with "--dataset-impl mmap" and at most 65,536 ids',
    );
  }

  /** An error about this file, which is not whole. */
  damaged(problem: string): UserError {
    return new UserError("DAMAGED_DATASET", `"${this.path}" ${problem}`, "restore it, or tokenise the text again");
  }

  /**
   * Where a sequence lies.
   *
   * @throws {RangeError} if there is no such sequence
   * @throws {UserError} `DAMAGED_DATASET` if its pointer is none
   */
  place(sequence: number): DocumentPlace {
    const size = new DataView(new ArrayBuffer(4)),
      pointer = new DataView(new ArrayBuffer(8));
    if (
      !(sequence >= 0 && sequence < this.sequences) ||
      !readAt(this.#file, HEADER_BYTES + 4 * sequence, new Uint8Array(size.buffer)) ||
      !readAt(this.#file, HEADER_BYTES + 4 * this.sequences + 8 * sequence, new Uint8Array(pointer.buffer))
    ) {
      throw new RangeError(`Sequence ${sequence} of "${this.path}", which has ${this.sequences}`);
    }
    const start = Number(pointer.getBigInt64(0, true)) / this.tokenBytes;
    if (!Number.isSafeInteger(start) || start < 0) {
      throw this.damaged(`places sequence ${sequence} at byte ${pointer.getBigInt64(0, true)}, where no token begins`);
    }
    return { start, length: size.getInt32(0, true) };
  }

  /**
   * Tokens of each sequence, shape (sequences), after the whole index was checked: every pointer is the sum of the
   * sizes before it, and the documents are in order.
   *
   * @throws {UserError} `DAMAGED_DATASET`
   */
  readSizes(): Int32Array {
    const sizes = new Int32Array(this.sequences);
    const bytes = new Uint8Array(sizes.buffer);
    if (!readAt(this.#file, HEADER_BYTES, bytes)) throw this.damaged("became shorter while it was read");
    const negative = sizes.findIndex((size) => size < 0);
    if (negative >= 0) throw this.damaged(`has sequence ${negative} of ${sizes[negative]} tokens`);
    let expected = 0;
    this.#eachNumber(HEADER_BYTES + 4 * this.sequences, this.sequences, (pointer, i) => {
      if (pointer !== expected) {
        throw this.damaged(`places sequence ${i} at byte ${pointer}, but those before it end at byte ${expected}`);
      }
      expected += (sizes[i] ?? 0) * this.tokenBytes;
    });
    let before = 0;
    this.#eachNumber(HEADER_BYTES + 12 * this.sequences, this.#documents, (first, i) => {
      if (i === 0 ? first !== 0 : first < before || first > this.sequences) {
        throw this.damaged(`begins document ${i} at sequence ${first}, after ${before} of ${this.sequences}`);
      }
      before = first;
    });
    return sizes;
  }

  /** Calls `use` with each of `count` int64 from an offset on. */
  #eachNumber(offset: number, count: number, use: (value: number, i: number) => void): void {
    const words = new Int32Array(2 * ENTRIES);
    const unsigned = new Uint32Array(words.buffer);
    for (let done = 0; done < count; done += ENTRIES) {
      const entries = Math.min(ENTRIES, count - done);
      if (!readAt(this.#file, offset + 8 * done, new Uint8Array(words.buffer, 0, 8 * entries))) {
        throw this.damaged("became shorter while it was read");
      }
      for (let i = 0; i < entries; i++) {
        use((words[2 * i + 1] ?? 0) * 4294967296 + (unsigned[2 * i] ?? 0), done + i);
      }
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }
}
