/**
 * Statistics of a few numbers, in doubles with a fixed order of additions, so that every machine gets the same bits:
 * only + − × ÷, square root, `exp` of src/arithmetic, and counter-based randomness.
 */
import { exp } from "../arithmetic/elementary.ts";
import { philox } from "../arithmetic/philox.ts";
import { STREAM } from "../arithmetic/streams.ts";

/** Resamples of every bootstrap. */
export const BOOTSTRAP_RESAMPLES = 10_000;

/** Seed of every bootstrap: the paper's arXiv number. */
export const BOOTSTRAP_SEED = 230_804_014;

/** Share of the resampled means that lies inside the interval. */
export const BOOTSTRAP_LEVEL = 0.95;

/** Sum from the first value to the last, divided by their number. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Mean of no values");
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Sample standard deviation, with n − 1 in the denominator; needs two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) throw new RangeError(`Standard deviation of ${values.length} values, expected two or more`);
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) * (value - centre);
  return Math.sqrt(sum / (values.length - 1));
}

/**
 * Effect size of paired differences: their mean in units of their standard deviation (Cohen's d_z).
 *
 * @returns undefined where all differences are the same, so that the ratio has no value
 */
export function effectSize(differences: readonly number[]): number | undefined {
  const deviation = standardDeviation(differences);
  return deviation === 0 ? undefined : mean(differences) / deviation;
}

/** An interval of {@linkcode BOOTSTRAP_LEVEL} around a mean. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

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

/** A straight line through points, and how much of the variance of y it explains. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** 1 − residual / total sum of squares; 1 is a perfect line */
  readonly rSquared: number;
}

/**
 * Least-squares line of y over x.
 *
 * @returns undefined where x or y does not vary, so that a line says nothing
 */
export function linearRegression(x: readonly number[], y: readonly number[]): Line | undefined {
  if (x.length !== y.length || x.length < 2) {
    throw new RangeError(`Regression of ${y.length} values over ${x.length}, expected the same number, two or more`);
  }
  const centreX = mean(x), centreY = mean(y);
  let sumXX = 0, sumXY = 0, sumYY = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = (x[i] ?? NaN) - centreX, dy = (y[i] ?? NaN) - centreY;
    sumXX += dx * dx;
    sumXY += dx * dy;
    sumYY += dy * dy;
  }
  if (sumXX === 0 || sumYY === 0) return undefined;
  const slope = sumXY / sumXX;
  return { slope, intercept: centreY - slope * centreX, rSquared: sumXY * sumXY / (sumXX * sumYY) };
}

/**
 * Perplexity of a mean negative log-likelihood.
 *
 * @param loss nats a token
 */
export function perplexity(loss: number): number {
  return exp(loss);
}
