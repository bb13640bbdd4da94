/**
 * The percentile bootstrap by which rules of version 1 judged several seeds. Its "95 %" cover 51, 75 and 84 % at two,
 * three and five seeds, so that later rules do without; manifests that were signed by it are verified by it.
 */
import { philox } from "../../arithmetic/philox.ts";
import { STREAM } from "../../arithmetic/streams.ts";
import type { Interval } from "./summary.ts";

/** Resamples of every bootstrap. */
export const BOOTSTRAP_RESAMPLES = 10_000;

/** Seed of every bootstrap: the paper's arXiv number. */
export const BOOTSTRAP_SEED = 230_804_014;

/** Share of the resampled means that lies inside the interval. */
export const BOOTSTRAP_LEVEL = 0.95;

/**
 * Percentile bootstrap interval of the mean of paired differences. Resample r draws its i-th value from word i mod 4
 * of the Philox block with counter (r, ⌊i / 4⌋, 0, `STREAM.bootstrap`), as ⌊word · n / 2^32⌋; the means are sorted
 * ascending, and the interval runs from the one at index 0.025 · R to the one at index R − 1 − 0.025 · R.
 *
 * @param differences one a seed, in ascending order of seeds; two or more
 */
export function bootstrapInterval(differences: readonly number[]): Interval {
  const count = differences.length;
  if (count < 2) throw new RangeError(`Bootstrap of ${count} values, expected two or more`);
  const { draws, words } = wordsFor(count);
  const means = new Float64Array(BOOTSTRAP_RESAMPLES);
  for (let resample = 0; resample < BOOTSTRAP_RESAMPLES; resample++) {
    let sum = 0;
    for (let draw = 0, at = resample * draws; draw < count; draw++, at++) {
      // below 2^32 · count, where doubles are exact
      sum += differences[Math.floor((words[at] ?? 0) * count / 4294967296)] ?? NaN;
    }
    means[resample] = sum / count;
  }
  means.sort();
  const tail = Math.floor(BOOTSTRAP_RESAMPLES * (1 - BOOTSTRAP_LEVEL) / 2 + 0.5);
  return { low: means[tail] ?? NaN, high: means[BOOTSTRAP_RESAMPLES - 1 - tail] ?? NaN };
}

/** Random words of the draws, the same for any number of values: shape (BOOTSTRAP_RESAMPLES, draws). */
let drawn: { readonly draws: number; readonly words: Uint32Array } = { draws: 0, words: new Uint32Array(0) };

/** The words for at least so many draws a resample; made once, since thousands of comparisons share them. */
function wordsFor(count: number): { readonly draws: number; readonly words: Uint32Array } {
  if (drawn.draws >= count) return drawn;
  const draws = 4 * Math.ceil(count / 4);
  const words = new Uint32Array(BOOTSTRAP_RESAMPLES * draws);
  for (let resample = 0, at = 0; resample < BOOTSTRAP_RESAMPLES; resample++) {
    for (let block = 0; block < draws / 4; block++, at += 4) {
      philox([BOOTSTRAP_SEED, 0], [resample, block, 0, STREAM.bootstrap], words.subarray(at, at + 4));
    }
  }
  return drawn = { draws, words };
}
