/**
 * The jackknife over documents (Quenouille 1956, Tukey 1958): an estimate is computed again without each document, and its
 * spread is that of the sampling of documents. It asks nothing of the estimate but that it be smooth, so that one way
 * serves differences, peaks and fits.
 */
import { mean } from "./summary.ts";
import type { StandardError } from "./paired_test.ts";

/** Most groups into which documents are put; each is left out once. */
export const MOST_GROUPS = 64;

/** Group of a document: neighbours go into different ones. */
export function groupOf(document: number, documents: number): number {
  return document % groupCount(documents);
}

/** Groups of so many documents: each its own, as long as there are few. */
export function groupCount(documents: number): number {
  return Math.min(documents, MOST_GROUPS);
}

/**
 * Standard error of an estimate.
 *
 * @param leftOut the estimate without each group, two groups or more
 */
export function jackknifeError(leftOut: readonly number[]): StandardError {
  if (leftOut.length < 2) throw new RangeError(`Jackknife over ${leftOut.length} groups, expected two or more`);
  const centre = mean(leftOut);
  let sum = 0;
  for (const value of leftOut) sum += (value - centre) * (value - centre);
  return { value: Math.sqrt(sum * (leftOut.length - 1) / leftOut.length), degrees: leftOut.length - 1 };
}

/**
 * The error of an estimate that rests on several independent samples.
 *
 * @returns root of the sum of squares, with the degrees of freedom of Welch and Satterthwaite, rounded down
 */
export function combinedError(errors: readonly StandardError[]): StandardError {
  let variance = 0;
  let denominator = 0;
  for (const { value, degrees } of errors) {
    const square = value * value;
    variance += square;
    denominator += square * square / degrees;
  }
  const fewest = Math.min(...errors.map(({ degrees }) => degrees));
  if (denominator === 0) return { value: 0, degrees: fewest };
  return { value: Math.sqrt(variance), degrees: Math.max(fewest, Math.floor(variance * variance / denominator)) };
}
