/** What numpy gave: tests/fixtures/numpy/known_answers.py. */

/** A `.npy` file of numpy's. */
export interface NpyAnswer {
  readonly sha256: string;
  /** its first bytes, one in each character */
  readonly start: string;
  readonly bytes: number;
}

/** See the script. */
export interface KnownAnswers {
  readonly numpy: string;
  readonly words: readonly {
    readonly seed: number;
    readonly first: readonly number[];
    readonly from1244: readonly number[];
    readonly sha256: string;
  }[];
  readonly intervals: readonly { readonly seed: number; readonly max: number; readonly values: readonly number[] }[];
  readonly shuffles: readonly {
    readonly seed: number;
    readonly shuffles: readonly {
      readonly length: number;
      readonly values: readonly number[] | null;
      readonly sha256: string;
    }[];
  }[];
  readonly weights: readonly { readonly weights: readonly number[]; readonly normalised: readonly number[] }[];
  readonly blends: readonly {
    readonly weights: readonly number[];
    readonly size: number;
    readonly sha256: string;
    readonly taken: readonly number[];
  }[];
  /** digests of the first 64 samples of the corpora of `megatron_sets.ts`, by seed 1234 */
  readonly batches: readonly [upstream: string, downstream: string];
  readonly orders: readonly {
    readonly sizes: readonly number[];
    readonly first: number;
    readonly end: number;
    readonly samples: number;
    readonly sequenceLength: number;
    readonly seed: number;
    readonly epochs: number;
    readonly doc_idx: NpyAnswer;
    readonly sample_idx: NpyAnswer;
    readonly shuffle_idx: NpyAnswer;
    readonly firstSamples: readonly (readonly number[])[];
  }[];
}

const FILE = new URL("../../fixtures/numpy/known_answers.json", import.meta.url);

/** Read once. */
export const KNOWN_ANSWERS: KnownAnswers = JSON.parse(await Deno.readTextFile(FILE));
