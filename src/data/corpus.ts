/** What training sees of a corpus: windows of tokens in a pinned order. */
import type { Digest } from "../digest/sha256.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { PerSplit } from "./domain.ts";
import type { OddRows } from "./text/odd_rows.ts";

/** The token windows of one optimizer step. */
export interface Batch {
  /** token ids, shape (sequences, sequenceLength + 1), row-major: inputs are [:, :-1], targets [:, 1:] */
  readonly tokens: Uint16Array;
  readonly sequences: number;
  /** SHA-256 of `tokens` as little-endian bytes */
  readonly digest: Digest;
}

/** Windows of the validation split. */
export interface ValidationWindows extends Batch {
  /** the domain that each window is from */
  readonly domains: readonly string[];
  /** the document that each window begins in, counted in its domain from 0 */
  readonly documents: readonly number[];
}

/** A prepared corpus: tokenised, split, and readable by offset. */
export interface Corpus {
  readonly name: CorpusName;
  /** digest of everything that determines the token stream: sources, tokenizer, weights, split, window length */
  readonly digest: Digest;
  /** counts for the plan's table and the manifest */
  readonly summary: CorpusSummary;
  /** The batch of an optimizer step: a pure function of corpus, seed, step and sequences. */
  batch(step: number, sequences: number, orderSeed: number): Promise<Batch>;
  /** Fixed validation windows, shape (windows, sequenceLength + 1), always the same ones in the same order. */
  validationWindows(windows: number): Promise<ValidationWindows>;
  /**
   * All validation windows, domain by domain and document by document, each once; blended and evenly spaced as in
   * {@linkcode validationWindows} if there are more.
   *
   * @param most windows
   */
  wholeValidation(most: number): Promise<ValidationWindows>;
  close(): void;
}

/** Sizes of a prepared corpus. */
export interface CorpusSummary {
  readonly documents: PerSplit;
  readonly tokens: PerSplit;
  readonly bytes: PerSplit;
  /** windows of `sequenceLength + 1` tokens at stride `sequenceLength` in each split */
  readonly windows: PerSplit;
  /** domain name to share of the training windows, as blended */
  readonly domains: Readonly<Record<string, number>>;
  /** rows of the sources that were not taken as they stand; absent if there are none */
  readonly oddRows?: OddRows;
}
