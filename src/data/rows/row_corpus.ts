/**
 * A corpus of token rows that are in training order already, as Pythia's were: row i of the files is sample i of the
 * training. Such files have no validation split: the documents of another dataset stand for it, or else the last rows
 * are held back.
 */
import { Permutation } from "../../arithmetic/permutation.ts";
import { STREAM } from "../../arithmetic/streams.ts";
import { shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { digestFile } from "../../files/file_digest.ts";
import type { Batch, Corpus, CorpusSummary, ValidationWindows } from "../corpus.ts";
import { UNNAMED_DOMAIN } from "../domain.ts";
import type { DataProgress } from "../options.ts";
import type { PreparedFolder } from "../prepared/cache.ts";
import { collectWindows, requireWhole } from "../windows.ts";
import type { RowIngredients } from "./row_ingredients.ts";
import { TokenRows } from "./token_rows.ts";
import { heldBackRows, preparedValidation, type RowValidation } from "./validation.ts";

/** The order seed of Pythia's training, which the files' own order stands for. Other seeds permute the rows. */
const FILES_OWN_SEED = 1234;

/** See above. */
export class RowCorpus implements Corpus {
  readonly name: CorpusName;
  readonly digest: Corpus["digest"];
  readonly summary: CorpusSummary;
  readonly #rows: TokenRows;
  readonly #train: number;
  readonly #validation: RowValidation;
  /** the order of the rows in the epoch that was last asked for */
  #order: { readonly seed: number; readonly epoch: number; readonly rows: Permutation } | undefined;

  private constructor({ name, digest, rows: { train } }: RowIngredients, rows: TokenRows, validation: RowValidation) {
    this.name = name;
    this.digest = digest;
    this.#rows = rows;
    this.#train = train;
    this.#validation = validation;
    const tokens = { train: train * rows.rowTokens, validation: validation.tokens };
    this.summary = {
      documents: { train, validation: validation.documents },
      tokens,
      // Counted in validation, where it is used; in training by the same proportion.
      bytes: { train: Math.round(tokens.train * validation.bytes / tokens.validation), validation: validation.bytes },
      windows: { train, validation: validation.windows },
      domains: { [UNNAMED_DOMAIN]: 1 },
    };
  }

  /**
   * Hashes the files and opens them.
   *
   * @param prepared the documents of `ingredients.validation`, if there are such
   * @throws {UserError} `DIGEST_MISMATCH`; `UNKNOWN_TOKEN` if held-back rows are of another tokenizer;
   * `CORPUS_TOO_SHORT` if the documents fill no window
   */
  static async open(
    ingredients: RowIngredients,
    prepared: PreparedFolder | undefined,
    onProgress: (progress: DataProgress) => void,
  ): Promise<RowCorpus> {
    await verify(ingredients, onProgress);
    const { name, rowTokens, tokenizer, rows: { train, validation } } = ingredients;
    const rows = new TokenRows(ingredients.files, rowTokens);
    try {
      const held = prepared === undefined
        ? heldBackRows(name, rows, train, validation, tokenizer)
        : preparedValidation(name, prepared, rowTokens - 1);
      return new RowCorpus(ingredients, rows, held);
    } catch (error) {
      rows.close();
      throw error;
    }
  }

  // deno-lint-ignore require-await
  async batch(step: number, sequences: number, orderSeed: number): Promise<Batch> {
    requireWhole("Step", step, 0);
    requireWhole("Number of sequences", sequences, 1);
    requireWhole("Order seed", orderSeed, 0);
    return collectWindows(sequences, this.#rows.rowTokens, (i, into) => {
      const sample = step * sequences + i;
      this.#rows.read(this.#row(sample % this.#train, Math.floor(sample / this.#train), orderSeed), into);
    });
  }

  /** The row in a place of an epoch. */
  #row(place: number, epoch: number, seed: number): number {
    if (seed === FILES_OWN_SEED) return place;
    if (this.#order?.seed !== seed || this.#order.epoch !== epoch) {
      const rows = new Permutation(this.#train, seed, [epoch >>> 0, 0, STREAM.windowOrder]);
      this.#order = { seed, epoch, rows };
    }
    return this.#order.rows.at(place);
  }

  // deno-lint-ignore require-await
  async validationWindows(windows: number): Promise<ValidationWindows> {
    return this.#validation.draw(windows);
  }

  // deno-lint-ignore require-await
  async wholeValidation(most: number): Promise<ValidationWindows> {
    return this.#validation.whole(most);
  }

  close(): void {
    this.#rows.close();
    this.#validation.close();
  }
}

async function verify({ name, files }: RowIngredients, onProgress: (progress: DataProgress) => void): Promise<void> {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  for (const { path, sha256: pinned } of files) {
    const found = await digestFile(path, {
      onBytes: (bytes) => {
        doneBytes += bytes.length;
        onProgress({ stage: "verify", corpus: name, doneBytes, totalBytes });
      },
    });
    if (found === pinned) continue;
    throw new UserError(
      "DIGEST_MISMATCH",
      `Digest of "${path}" is ${shortDigest(found)}, but ${shortDigest(pinned)} was downloaded`,
      'run "deno task data fetch --verify --scale NAME"',
    );
  }
}
