/** Tokens of one domain and split in the sources' order, in staging files, until they are copied in shuffled order. */
import { z } from "zod";
import type { Permutation } from "../../arithmetic/permutation.ts";
import { removeFileSync } from "../../files/deno_file_system.ts";
import { createFileHash } from "../../files/file_digest.ts";
import { openRegularSync } from "../../files/open_regular.ts";
import { ByteWriter } from "../../formats/megatron/byte_writer.ts";
import { TOKEN_BYTES, tokenBytes } from "../../formats/megatron/dataset.ts";
import { readAt } from "../../formats/megatron/read_at.ts";
import { writeIndex } from "../../formats/megatron/write_index.ts";
import { DocumentStarts, START_BYTES } from "./document_starts.ts";
import { type PreparedFile, preparedFile, type PreparedSplit } from "./manifest.ts";
import { StagedFile } from "./staged_file.ts";

/** Tokens copied at a time. */
const COPY_TOKENS = 1 << 15;
const SIZE_BYTES = 4;

const count = z.int().nonnegative();

/** See {@linkcode StagedRecord}. */
export const stagedRecord = z.strictObject({
  documents: count,
  textBytes: count,
  tokens: preparedFile,
  starts: preparedFile,
});

/** What a split's staging files held at some time. */
export type StagedRecord = z.infer<typeof stagedRecord>;

/** Documents of one domain and split. */
export class StagedSplit {
  readonly #tokens: StagedFile;
  /** START_BYTES a document */
  readonly #starts: StagedFile;
  readonly #start = new DataView(new ArrayBuffer(START_BYTES));
  readonly #end: Uint16Array;
  documents = 0;
  textBytes = 0;
  tokens = 0;

  private constructor(tokens: StagedFile, starts: StagedFile, endOfText: number) {
    this.#tokens = tokens;
    this.#starts = starts;
    this.#end = Uint16Array.of(endOfText);
  }

  /** @param path how the names of its files begin; none of them may exist */
  static create(path: string, endOfText: number): StagedSplit {
    const [tokens, starts] = stagingPaths(path);
    return new StagedSplit(StagedFile.create(tokens), StagedFile.create(starts), endOfText);
  }

  /** Goes on with files that begin as recorded; null if they do not. */
  static async resume(path: string, endOfText: number, recorded: StagedRecord): Promise<StagedSplit | null> {
    const [tokensPath, startsPath] = stagingPaths(path);
    const tokens = await StagedFile.resume(tokensPath, recorded.tokens);
    if (tokens === null) return null;
    const starts = await StagedFile.resume(startsPath, recorded.starts);
    if (starts === null) {
      tokens.close();
      return null;
    }
    const split = new StagedSplit(tokens, starts, endOfText);
    split.documents = recorded.documents;
    split.textBytes = recorded.textBytes;
    split.tokens = recorded.tokens.bytes / split.#end.BYTES_PER_ELEMENT;
    return split;
  }

  /** Puts a document's ids after those before it, and the end after them. */
  add(tokens: Uint16Array, textBytes: number): void {
    this.#writeStart();
    this.#tokens.write(tokenBytes(tokens));
    this.#tokens.write(tokenBytes(this.#end));
    this.documents++;
    this.tokens += tokens.length + 1;
    this.textBytes += textBytes;
  }

  #writeStart(): void {
    this.#start.setFloat64(0, this.tokens, true);
    this.#starts.write(new Uint8Array(this.#start.buffer));
  }

  /** Brings everything to the disk, and says what is there. */
  record(): StagedRecord {
    const { documents, textBytes } = this;
    return { documents, textBytes, tokens: this.#tokens.record(), starts: this.#starts.record() };
  }

  /** Ends the files; no document may follow. */
  finish(): void {
    // One start more than documents, so that each document's end is the next one's start.
    this.#writeStart();
    this.#tokens.finish();
    this.#starts.finish();
  }

  /** Closes the files as they are. */
  close(): void {
    this.#tokens.close();
    this.#starts.close();
  }

  /** Paths of its files. */
  get paths(): readonly string[] {
    return [this.#tokens.path, this.#starts.path];
  }

  /** Writes `folder/name.bin` and `.idx` with the documents in the order of a permutation; the files are finished. */
  shuffle(
    folder: string,
    name: string,
    order: Permutation | null,
    onBytes: (bytes: number) => void,
  ): PreparedSplit {
    const path = `${folder}/${name}`;
    const sizes = `${path}.sizes`;
    const bin = this.#copy(`${path}.bin`, sizes, order, onBytes);
    const digest = createFileHash();
    let bytes = 0;
    writeIndex(`${path}.idx`, this.documents, () => readSizes(sizes, this.documents), (piece) => {
      digest.update(piece);
      bytes += piece.length;
    });
    removeFileSync(sizes);
    const { documents, tokens, textBytes } = this;
    return { name, documents, tokens, textBytes, bin, idx: { bytes, sha256: digest.finish() } };
  }

  #copy(
    path: string,
    sizesPath: string,
    order: Permutation | null,
    onBytes: (bytes: number) => void,
  ): PreparedFile {
    const digest = createFileHash();
    using tokens = openRegularSync(this.#tokens.path, "read");
    using starts = new DocumentStarts(this.#starts.path, this.documents);
    const writer = new ByteWriter(path, (bytes) => digest.update(bytes));
    const sizes = new ByteWriter(sizesPath);
    try {
      const size = new DataView(new ArrayBuffer(SIZE_BYTES));
      const buffer = new Uint8Array(TOKEN_BYTES * COPY_TOKENS);
      for (let position = 0; position < this.documents; position++) {
        const document = order?.at(position) ?? position;
        const [start, end] = starts.bounds(document);
        for (let at = start; at < end; at += COPY_TOKENS) {
          const piece = buffer.subarray(0, TOKEN_BYTES * Math.min(COPY_TOKENS, end - at));
          requireRead(readAt(tokens, TOKEN_BYTES * at, piece), this.#tokens.path);
          writer.write(piece);
          onBytes(piece.length);
        }
        size.setInt32(0, end - start, true);
        sizes.write(new Uint8Array(size.buffer));
      }
      writer.finish(true);
      sizes.finish(false);
      return { bytes: writer.bytes, sha256: digest.finish() };
    } finally {
      writer.close();
      sizes.close();
    }
  }
}

function stagingPaths(path: string): [tokens: string, starts: string] {
  return [`${path}.tokens`, `${path}.starts`];
}

function* readSizes(path: string, documents: number): Generator<number, void> {
  using sizes = openRegularSync(path, "read");
  const buffer = new DataView(new ArrayBuffer(SIZE_BYTES * 4096));
  for (let first = 0; first < documents; first += 4096) {
    const count = Math.min(4096, documents - first);
    const piece = new Uint8Array(buffer.buffer, 0, SIZE_BYTES * count);
    requireRead(readAt(sizes, first * SIZE_BYTES, piece), path);
    for (let i = 0; i < count; i++) yield buffer.getInt32(SIZE_BYTES * i, true);
  }
}

function requireRead(whole: boolean, path: string): void {
  if (!whole) throw new Error(`The staging file "${path}" ended early`);
}
