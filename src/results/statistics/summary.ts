/** Summaries of a few numbers, in doubles with a fixed order of additions, so that every machine gets the same bits. */

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

/** Numbers around an estimate. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
