/**
 * A corpus of token rows that are in training order already, as Pythia's were: row i of the files is sample i of the
 * training. The last rows are kept back for validation, since such files have no split of their own.
 */
import { sha256, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import { digestFile } from "../files/file_digest.ts";
import { tokenByteLengths } from "./bpe/token_lengths.ts";
import type { Batch, Corpus, CorpusSummary, ValidationWindows } from "./corpus.ts";
import { UNNAMED_DOMAIN } from "./domain.ts";
import type { RowIngredients } from "./hub_ingredients.ts";
import { tokenBytes } from "./megatron.ts";
import type { DataProgress } from "./options.ts";
import { TokenRows } from "./token_rows.ts";

/** See above. The order seed has no effect: the order is the files' own. */
export class RowCorpus implements Corpus {
  readonly name: CorpusName;
  readonly digest: Corpus["digest"];
  readonly summary: CorpusSummary;
  readonly #rows: TokenRows;
  readonly #train: number;
  readonly #validation: number;

  private constructor(
    { name, digest, rows: { train, validation } }: RowIngredients,
    rows: TokenRows,
    textBytes: number,
  ) {
    this.name = name;
    this.digest = digest;
    this.#rows = rows;
    this.#train = train;
    this.#validation = validation;
    const tokens = { train: train * rows.rowTokens, validation: validation * rows.rowTokens };
    this.summary = {
      documents: { train, validation },
      tokens,
      // Counted in validation, where it is used; in training by the same proportion.
      bytes: { train: Math.round(tokens.train * textBytes / tokens.validation), validation: textBytes },
      windows: { train, validation },
      domains: { [UNNAMED_DOMAIN]: 1 },
    };
  }

  /**
   * Hashes the files and opens them.
   *
   * @throws {UserError} `DIGEST_MISMATCH`; `UNKNOWN_TOKEN` if the rows are of another tokenizer
   */
  static async open(ingredients: RowIngredients, onProgress: (progress: DataProgress) => void): Promise<RowCorpus> {
    await verify(ingredients, onProgress);
    const rows = new TokenRows(ingredients.files, ingredients.rowTokens);
    try {
      return new RowCorpus(ingredients, rows, validationBytes(ingredients, rows));
    } catch (error) {
      rows.close();
      throw error;
    }
  }

  // deno-lint-ignore require-await
  async batch(step: number, sequences: number, _orderSeed: number): Promise<Batch> {
    return this.#collect(sequences, (i) => (step * sequences + i) % this.#train);
  }

  // deno-lint-ignore require-await
  async validationWindows(windows: number): Promise<ValidationWindows> {
    if (windows > this.#validation) {
      throw new UserError(
        "TOO_FEW_VALIDATION_WINDOWS",
        `The ${this.name} corpus has ${this.#validation} validation rows, but ${windows} are asked for`,
        "ask for fewer",
      );
    }
    const batch = this.#collect(windows, (i) => this.#train + Math.floor(i * this.#validation / windows));
    return { ...batch, domains: new Array<string>(windows).fill(UNNAMED_DOMAIN) };
  }

  /** @param rowOf the row of the i-th sequence */
  #collect(sequences: number, rowOf: (i: number) => number): Batch {
    const { rowTokens } = this.#rows;
    const tokens = new Uint16Array(sequences * rowTokens);
    for (let i = 0; i < sequences; i++) this.#rows.read(rowOf(i), tokens.subarray(i * rowTokens, (i + 1) * rowTokens));
    return { tokens, sequences, digest: sha256(tokenBytes(tokens)) };
  }

  close(): void {
    this.#rows.close();
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

/** UTF-8 bytes of the validation rows' text. */
function validationBytes({ name, tokenizer, rows: { train, validation } }: RowIngredients, rows: TokenRows): number {
  const lengths = tokenByteLengths(tokenizer);
  const row = new Uint16Array(rows.rowTokens);
  let bytes = 0;
  for (let i = 0; i < validation; i++) {
    rows.read(train + i, row);
    for (const token of row) {
      const length = lengths[token];
      if (length === undefined) {
        throw new UserError(
          "UNKNOWN_TOKEN",
          `Row ${train + i} of the ${name} corpus has the token ${token}, and the tokenizer has ${lengths.length}`,
          "give the tokenizer that the rows were made with: GPT-NeoX-20B's for Pythia's",
        );
      }
      bytes += length;
    }
  }
  return bytes;
}
