/** One estimate with its standard error against a number, by Student's t. */
import { tailProbability, upperQuantile } from "./student_t.ts";
import { type Interval, standardDeviation } from "./summary.ts";

/** How far an estimate may be off, and by how many independent pieces that is known. */
export interface StandardError {
  readonly value: number;
  /** degrees of freedom, 1 or more */
  readonly degrees: number;
}

/** The standard error of the mean of paired differences, one a seed: two seeds or more. */
export function errorOverSeeds(differences: readonly number[]): StandardError {
  return {
    value: standardDeviation(differences) / Math.sqrt(differences.length),
    degrees: differences.length - 1,
  };
}

/**
 * Probability of an estimate this far above a number, or further, if the number is true.
 *
 * @returns 1 below it and 0 above it where the error is 0; 1 where both are the same
 */
export function probabilityAbove(estimate: number, number: number, { value, degrees }: StandardError): number {
  if (value === 0) return estimate > number ? 0 : 1;
  return tailProbability((estimate - number) / value, degrees);
}

/** The same of an estimate this far below a number. */
export function probabilityBelow(estimate: number, number: number, error: StandardError): number {
  return probabilityAbove(-estimate, -number, error);
}

/** The two-sided interval of an estimate that covers the truth with a probability. */
export function tInterval(estimate: number, { value, degrees }: StandardError, level: number): Interval {
  const reach = value === 0 ? 0 : value * upperQuantile((1 - level) / 2, degrees);
  return { low: estimate - reach, high: estimate + reach };
}
