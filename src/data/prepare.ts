/**
 * From documents to prepared files: a `.bin`/`.idx` pair a domain and split, its documents already in shuffled order,
 * so that a training window is one read. Two passes, both in memory that does not grow with the corpus: the documents
 * are tokenised into staging files in the sources' order, and from there copied in the permutation's.
 */
import { Permutation } from "../arithmetic/permutation.ts";
import { STREAM } from "../arithmetic/streams.ts";
import { createSha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { writeFileDurably } from "../files/durable.ts";
import { ByteWriter } from "./byte_writer.ts";
import { domainWord, type Split } from "./domain.ts";
import type { Ingredients } from "./ingredients.ts";
import { readAt, tokenBytes, writeIndex } from "./megatron.ts";
import type { DataProgress } from "./options.ts";
import {
  formatPrepared,
  PREPARED_FILE,
  type PreparedFile,
  type PreparedManifest,
  type PreparedSplit,
} from "./prepared_manifest.ts";

/** The Pile has 22 domains; far more are a sign that the field holds something else. Each keeps four files open. */
const MAX_DOMAINS = 64;
/** Tokens copied at a time. */
const COPY_TOKENS = 1 << 15;
const START_BYTES = 8;
const SIZE_BYTES = 4;

/** Tokens of one domain and split in the sources' order, with the start of each document. */
class StagedSplit {
  readonly #tokensPath: string;
  readonly #startsPath: string;
  readonly #sizesPath: string;
  readonly #tokens: ByteWriter;
  readonly #starts: ByteWriter;
  readonly #start = new DataView(new ArrayBuffer(START_BYTES));
  readonly #end: Uint16Array;
  documents = 0;
  textBytes = 0;
  tokens = 0;

  constructor(path: string, endOfText: number) {
    this.#tokensPath = `${path}.tokens`;
    this.#startsPath = `${path}.starts`;
    this.#sizesPath = `${path}.sizes`;
    this.#tokens = new ByteWriter(this.#tokensPath);
    this.#starts = new ByteWriter(this.#startsPath);
    this.#end = Uint16Array.of(endOfText);
  }

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

  finish(): void {
    // One start more than documents, so that each document's end is the next one's start.
    this.#writeStart();
    this.#tokens.finish(false);
    this.#starts.finish(false);
  }

  close(): void {
    this.#tokens.close();
    this.#starts.close();
  }

  /** Writes `path.bin` and `path.idx` with the documents in the order of a permutation, and removes the staging. */
  async shuffle(
    folder: string,
    name: string,
    order: Permutation | null,
    onBytes: (bytes: number) => void,
  ): Promise<PreparedSplit> {
    const bin = await this.#copy(`${folder}/${name}.bin`, order, onBytes);
    const digest = await createSha256();
    let bytes = 0;
    writeIndex(
      `${folder}/${name}.idx`,
      this.documents,
      () => this.#shuffledSizes(),
      (piece) => {
        digest.update(piece);
        bytes += piece.length;
      },
    );
    for (const path of [this.#tokensPath, this.#startsPath, this.#sizesPath]) {
      Deno.removeSync(path);
    }
    const { documents, tokens, textBytes } = this;
    return {
      name,
      documents,
      tokens,
      textBytes,
      bin,
      idx: { bytes, sha256: digest.finish() },
    };
  }

  async #copy(
    path: string,
    order: Permutation | null,
    onBytes: (bytes: number) => void,
  ): Promise<PreparedFile> {
    const digest = await createSha256();
    using tokens = Deno.openSync(this.#tokensPath);
    using starts = Deno.openSync(this.#startsPath);
    const writer = new ByteWriter(path, (bytes) => digest.update(bytes));
    const sizes = new ByteWriter(this.#sizesPath);
    try {
      const bounds = new DataView(new ArrayBuffer(2 * START_BYTES));
      const size = new DataView(new ArrayBuffer(SIZE_BYTES));
      const buffer = new Uint8Array(2 * COPY_TOKENS);
      for (let position = 0; position < this.documents; position++) {
        const document = order?.at(position) ?? position;
        requireRead(
          readAt(starts, document * START_BYTES, new Uint8Array(bounds.buffer)),
          this.#startsPath,
        );
        const start = bounds.getFloat64(0, true),
          end = bounds.getFloat64(START_BYTES, true);
        for (let at = start; at < end; at += COPY_TOKENS) {
          const piece = buffer.subarray(0, 2 * Math.min(COPY_TOKENS, end - at));
          requireRead(readAt(tokens, 2 * at, piece), this.#tokensPath);
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

  *#shuffledSizes(): Generator<number, void> {
    using sizes = Deno.openSync(this.#sizesPath);
    const buffer = new DataView(new ArrayBuffer(SIZE_BYTES * 4096));
    for (let first = 0; first < this.documents; first += 4096) {
      const count = Math.min(4096, this.documents - first);
      const piece = new Uint8Array(buffer.buffer, 0, SIZE_BYTES * count);
      requireRead(readAt(sizes, first * SIZE_BYTES, piece), this.#sizesPath);
      for (let i = 0; i < count; i++) {
        yield buffer.getInt32(SIZE_BYTES * i, true);
      }
    }
  }
}

function requireRead(whole: boolean, path: string): void {
  if (!whole) throw new Error(`The staging file "${path}" ended early`);
}

/** A domain's name as part of a file name; the ordinal before it keeps names apart that become the same. */
function fileName(ordinal: number, domain: string, split: Split): string {
  const readable = domain.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(
    0,
    40,
  );
  return `${String(ordinal).padStart(2, "0")}-${readable}.${split}`;
}

/**
 * Tokenises and shuffles a corpus into an empty folder, and writes `prepared.json` last.
 *
 * @throws {UserError} `CORPUS_EMPTY`, `TOO_MANY_DOMAINS`, and as the sources' documents throw
 */
export async function prepare(
  ingredients: Ingredients,
  folder: string,
  onProgress: (progress: DataProgress) => void,
): Promise<void> {
  const { name: corpus, tokenizer, dataSeed, sourceBytes } = ingredients;
  const staged = new Map<string, Record<Split, StagedSplit>>();
  try {
    let doneBytes = 0;
    const documents = ingredients.documents((bytes) => {
      doneBytes += bytes;
      onProgress({
        stage: "tokenise",
        corpus,
        doneBytes,
        totalBytes: sourceBytes,
      });
    });
    const encoder = new TextEncoder();
    for await (const { domain, split, text } of documents) {
      let splits = staged.get(domain);
      if (splits === undefined) {
        requireFewDomains(corpus, staged.size);
        const path = `${folder}/staging-${staged.size}`;
        staged.set(domain, splits = stageSplits(path, tokenizer.endOfText));
      }
      const tokens = tokenizer.encode(text);
      splits[split].add(
        tokens,
        tokenizer.bytesPerToken === 1 ? tokens.length : encoder.encode(text).length,
      );
    }
    if (staged.size === 0) {
      throw new UserError(
        "CORPUS_EMPTY",
        `The ${corpus} corpus (${ingredients.sources.map(({ name }) => `"${name}"`).join(", ")}) has no text`,
        "give files with some",
      );
    }
    const splits = [...staged.values()].flatMap((
      { train, validation },
    ) => [train, validation]);
    for (const split of splits) split.finish();

    let copiedBytes = 0;
    const totalBytes = splits.reduce(
      (bytes, { tokens }) => bytes + 2 * tokens,
      0,
    );
    const onBytes = (bytes: number) => {
      copiedBytes += bytes;
      onProgress({
        stage: "shuffle",
        corpus,
        doneBytes: copiedBytes,
        totalBytes,
      });
    };
    const domains = [];
    const sorted = [...staged].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [ordinal, [domain, { train, validation }]] of sorted.entries()) {
      const shuffle = (split: Split, stage: StagedSplit) => {
        const stream = [
          split === "train" ? 0 : 1,
          domainWord(domain),
          STREAM.documentOrder,
        ] as const;
        const order = stage.documents === 0 ? null : new Permutation(stage.documents, dataSeed, stream);
        return stage.shuffle(
          folder,
          fileName(ordinal, domain, split),
          order,
          onBytes,
        );
      };
      domains.push({
        name: domain,
        train: await shuffle("train", train),
        validation: await shuffle("validation", validation),
      });
    }
    const manifest: PreparedManifest = {
      format: 1,
      digest: ingredients.preparedDigest,
      domains,
    };
    await writeFileDurably(
      `${folder}/${PREPARED_FILE}`,
      formatPrepared(manifest),
    );
  } finally {
    for (const { train, validation } of staged.values()) {
      train.close();
      validation.close();
    }
  }
}

function stageSplits(
  path: string,
  endOfText: number,
): Record<Split, StagedSplit> {
  return {
    train: new StagedSplit(`${path}-train`, endOfText),
    validation: new StagedSplit(`${path}-validation`, endOfText),
  };
}

function requireFewDomains(corpus: string, domains: number): void {
  if (domains < MAX_DOMAINS) return;
  throw new UserError(
    "TOO_MANY_DOMAINS",
    `The ${corpus} corpus has more than ${MAX_DOMAINS} domains (values of meta.pile_set_name or ` +
      "meta.redpajama_set_name)",
    "write coarser names there, or leave them out",
  );
}
