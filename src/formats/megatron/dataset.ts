/**
 * Megatron's memory-mapped dataset, the format GPT-NeoX trains from: `.bin` holds the documents' tokens back to back
 * as little-endian uint16, `.idx` their sizes and places. Both are written and read piece by piece. Tokens of int32,
 * which GPT-NeoX writes for large vocabularies, are read too, as long as they fit 16 bits.
 *
 * @see gpt-neox `megatron/data/indexed_dataset.py`, `MMapIndexedDataset`
 */
import { UserError } from "../../errors.ts";
import { openRegularSync } from "../../files/open_regular.ts";
import { type DocumentPlace, MegatronIndex } from "./index.ts";
import { readAt } from "./read_at.ts";

/** Bytes of a token of uint16, as rows and the project's own datasets have them. */
export const TOKEN_BYTES = 2;

/** Bytes of tokens as Megatron stores them. Every platform that Deno runs on is little-endian. */
export function tokenBytes(tokens: Uint16Array): Uint8Array {
  return new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
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
    const tokens = openRegularSync(`${path}.bin`, "read");
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
