/** Straight lines and perplexities, from + − × ÷ and `exp` of src/arithmetic, so that every machine gets the same bits. */
import { exp } from "../../arithmetic/elementary.ts";
import { mean } from "./summary.ts";

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
