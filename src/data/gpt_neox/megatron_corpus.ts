/** A corpus of Megatron files in GPT-NeoX's order: what its own training would have read from them. */
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { Blend, blendWithin } from "../blend.ts";
import { tokenByteLengths } from "../../formats/bpe/token_lengths.ts";
import type { Batch, Corpus, CorpusSummary, ValidationWindows } from "../corpus.ts";
import type { Split } from "../domain.ts";
import { IndexedDataset } from "../../formats/megatron/dataset.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import { collectWindows, requireWhole, tooFewWindows, windowsIn } from "../windows.ts";
import { blendShares } from "./blending.ts";
import type { MegatronIngredients, MegatronSet } from "./megatron_ingredients.ts";
import { OrderedDataset } from "./ordered_dataset.ts";

/** Tokens that are counted at a time. */
const COUNTED_TOKENS = 1 << 18;

/** An open `.bin`/`.idx` pair. */
interface OpenFile {
  readonly dataset: IndexedDataset;
  /** tokens of each document, shape (documents) */
  readonly sizes: Int32Array;
}

/** See above. */
export class MegatronCorpus implements Corpus {
  readonly name: CorpusName;
  readonly digest: Corpus["digest"];
  readonly summary: CorpusSummary;
  readonly #ingredients: MegatronIngredients;
  /** by path without ending */
  readonly #files: ReadonlyMap<string, OpenFile>;
  /** UTF-8 bytes of each id */
  readonly #lengths: Uint32Array;
  readonly #turns: Blend;
  readonly #validation: readonly OrderedDataset[];
  /** the training sets in the order of the seed that was last asked for */
  #train: { readonly seed: number; readonly sets: readonly OrderedDataset[] } | null = null;

  private constructor(ingredients: MegatronIngredients, files: ReadonlyMap<string, OpenFile>) {
    const { name, digest, sets, samples, tokenizer } = ingredients;
    this.name = name;
    this.digest = digest;
    this.#ingredients = ingredients;
    this.#files = files;
    this.#lengths = byteLengths(tokenizer);
    this.#turns = new Blend(blendShares(sets.train.map(({ weight }) => weight), samples).weights);
    this.summary = this.#summarise();
    if (this.summary.windows.validation === 0) throw tooShort(ingredients, this.summary.tokens.validation);
    this.#validation = sets.validation.map((set) => this.#order(set, ingredients.dataSeed));
  }

  /**
   * Opens the files, checks their indices, and counts the text of the validation tokens.
   *
   * @throws {UserError} `DAMAGED_DATASET`, `TOKEN_TOO_LARGE`, `UNKNOWN_TOKEN` if the tokens are of another tokenizer,
   * `CORPUS_TOO_SHORT`, `INDEX_TOO_LARGE`
   */
  static open(ingredients: MegatronIngredients): MegatronCorpus {
    const files = new Map<string, OpenFile>();
    try {
      for (const { path } of [...ingredients.sets.train, ...ingredients.sets.validation]) {
        if (files.has(path)) continue;
        const dataset = IndexedDataset.open(path);
        // Held before it is checked, so that it is closed if the check fails.
        const file: { dataset: IndexedDataset; sizes: Int32Array } = { dataset, sizes: new Int32Array(0) };
        files.set(path, file);
        file.sizes = dataset.readSizes();
      }
      return new MegatronCorpus(ingredients, files);
    } catch (error) {
      for (const { dataset } of files.values()) dataset.close();
      throw error;
    }
  }

  #file(path: string): OpenFile {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`"${path}" is not open`);
    return file;
  }

  #summarise(): CorpusSummary {
    const { sets, sequenceLength } = this.#ingredients;
    const both = (of: (set: MegatronSet) => number) => {
      const sum = (split: Split) => sets[split].reduce((total, set) => total + of(set), 0);
      return { train: sum("train"), validation: sum("validation") };
    };
    const tokens = both((set) => set.tokens);
    const textBytes = sets.validation.reduce((sum, set) => sum + this.#textBytes(set), 0);
    return {
      documents: both(({ documents: { first, end } }) => end - first),
      tokens,
      // Counted in validation, where it is used; in training by the same proportion.
      bytes: { train: Math.round(tokens.train * textBytes / tokens.validation), validation: textBytes },
      windows: both(({ tokens }) => windowsIn(tokens, sequenceLength)),
      domains: Object.fromEntries(sets.train.map(({ name }, i) => [name, this.#turns.weights[i] ?? 0])),
    };
  }

  #textBytes({ path, documents: { first }, tokens }: MegatronSet): number {
    const { dataset } = this.#file(path);
    const { start } = dataset.place(first);
    const piece = new Uint16Array(COUNTED_TOKENS);
    let bytes = 0;
    for (let done = 0; done < tokens; done += COUNTED_TOKENS) {
      const read = piece.subarray(0, Math.min(COUNTED_TOKENS, tokens - done));
      dataset.read(start + done, read);
      bytes += this.#countBytes(read, path);
    }
    return bytes;
  }

  /** @throws {UserError} `UNKNOWN_TOKEN` */
  #countBytes(tokens: Uint16Array, path: string): number {
    let bytes = 0;
    for (const token of tokens) {
      const length = this.#lengths[token];
      if (length === undefined) throw unknownToken(token, path, this.#ingredients.tokenizer);
      bytes += length;
    }
    return bytes;
  }

  #order({ path, documents, samples }: MegatronSet, seed: number): OrderedDataset {
    const { dataset, sizes } = this.#file(path);
    const { sequenceLength } = this.#ingredients;
    return new OrderedDataset(dataset, { sizes, documents, samples, sequenceLength, seed });
  }

  #trainingSets(seed: number): readonly OrderedDataset[] {
    if (this.#train?.seed === seed) return this.#train.sets;
    // The old order goes before the new one comes: two may not fit in memory.
    this.#train = null;
    const built = this.#ingredients.sets.train.map((set) => this.#order(set, seed));
    this.#train = { seed, sets: built };
    return built;
  }

  // deno-lint-ignore require-await
  async batch(step: number, sequences: number, orderSeed: number): Promise<Batch> {
    requireWhole("Step", step, 0);
    requireWhole("Number of sequences", sequences, 1);
    if (!Number.isInteger(orderSeed) || orderSeed < 0 || orderSeed >= 2 ** 32) {
      throw new UserError(
        "INVALID_ORDER_SEED",
        `Order seed ${orderSeed} of the ${this.name} corpus, and numpy's generator takes 0 to 2^32 − 1`,
      );
    }
    const first = step * sequences;
    const { samples, sets, sequenceLength } = this.#ingredients;
    if (first + sequences > samples) {
      throw new UserError(
        "TOO_FEW_SAMPLES",
        `Step ${step} of ${sequences} sequences reads the ${this.name} corpus up to sample ${first + sequences}, ` +
          `but its order was made for ${samples}`,
        "open the corpus for the samples of its longest run",
      );
    }
    const ordered = this.#trainingSets(orderSeed);
    const turns = this.#turns.range(first, sequences);
    return collectWindows(sequences, sequenceLength + 1, (i, into) => {
      const set = turns.domains[i] ?? 0;
      ordered[set]?.read(turns.indices[i] ?? 0, into);
      this.#countBytes(into, sets.train[set]?.path ?? "");
    });
  }

  // deno-lint-ignore require-await
  async validationWindows(windows: number): Promise<ValidationWindows> {
    requireWhole("Number of validation windows", windows, 1);
    const { sets: { validation: sets }, sequenceLength } = this.#ingredients;
    const available = sets.map(({ tokens }) => windowsIn(tokens, sequenceLength));
    const { domains, indices } = blendWithin(sets.map(({ weight }) => weight), available, windows);
    if (domains.length < windows) throw tooFewWindows(this.name, domains.length, sequenceLength, windows);
    const batch = collectWindows(
      windows,
      sequenceLength + 1,
      (i, into) => this.#validation[domains[i] ?? 0]?.read(indices[i] ?? 0, into),
    );
    return {
      ...batch,
      domains: Array.from(domains, (set) => sets[set]?.name ?? ""),
      documents: Array.from(domains, (set, i) => this.#validation[set]?.documentAt(indices[i] ?? 0) ?? 0),
    };
  }

  // deno-lint-ignore require-await
  async wholeValidation(most: number): Promise<ValidationWindows> {
    requireWhole("Number of validation windows", most, 1);
    const { sets: { validation: sets }, sequenceLength } = this.#ingredients;
    const available = sets.map(({ tokens }) => windowsIn(tokens, sequenceLength));
    const { domains, indices } = blendWithin(sets.map(({ weight }) => weight), available, most);
    const chosen = Array.from(domains, (set, i) => ({
      set,
      sample: indices[i] ?? 0,
      document: this.#validation[set]?.documentAt(indices[i] ?? 0) ?? 0,
    })).sort((a, b) => a.set - b.set || a.document - b.document || a.sample - b.sample);
    const batch = collectWindows(chosen.length, sequenceLength + 1, (i, into) => {
      const { set = 0, sample = 0 } = chosen[i] ?? {};
      this.#validation[set]?.read(sample, into);
    });
    const names = chosen.map(({ set }) => sets[set]?.name ?? "");
    return { ...batch, domains: names, documents: chosen.map(({ document }) => document) };
  }

  close(): void {
    for (const { dataset } of this.#files.values()) dataset.close();
  }
}

/** UTF-8 bytes of each id; where bytes are the tokens, none for the end of a text. */
function byteLengths({ source, vocabularySize, endOfText }: Tokenizer): Uint32Array {
  if (source !== undefined) return tokenByteLengths(source.definition);
  const lengths = new Uint32Array(vocabularySize).fill(1);
  lengths[endOfText] = 0;
  return lengths;
}

function unknownToken(token: number, path: string, tokenizer: Tokenizer): UserError {
  return new UserError(
    "UNKNOWN_TOKEN",
    `"${path}.bin" has the token ${token}, and the tokenizer "${tokenizer.name}" has ids from 0 to ` +
      `${tokenizer.vocabularySize - 1}`,
    "give the tokenizer that the file was made with: --tokenizer FILE",
  );
}

function tooShort({ name, sequenceLength }: MegatronIngredients, tokens: number): UserError {
  return new UserError(
    "CORPUS_TOO_SHORT",
    `The ${name} corpus has ${tokens} validation tokens, and no set of it fills a window of ${sequenceLength + 1}`,
    'give more text, a shorter sequence length, or a validation set named like "name.val.bin"',
  );
}
