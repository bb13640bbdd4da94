/**
 * A contrast: one number a seed that a claim wants positive, within a margin, or not below one. Every rule is a list
 * of contrasts, and every verdict is the sum of their outcomes, so that noise is handled in one place.
 */
import { bootstrapInterval } from "./statistics/bootstrap.ts";
import { effectSize, type Interval, mean } from "./statistics/summary.ts";

/** What a claim wants of a contrast. */
export type Expectation =
  /** beyond `holdsFrom`; at `failsTo` or less the opposite is shown. `neutral` is what no effect would give. */
  | { readonly kind: "beyond"; readonly holdsFrom: number; readonly failsTo: number; readonly neutral: number }
  /** between −margin and +margin */
  | { readonly kind: "within"; readonly margin: number }
  /** −margin or more */
  | { readonly kind: "not-below"; readonly margin: number };

/** What the numbers of a contrast are. */
export type ContrastUnit = "share of loss" | "nats" | "R²";

/** One comparison that a rule makes. */
export interface Contrast {
  /** what holds if the number is positive or small: `2x below 1x` */
  readonly label: string;
  readonly unit: ContrastUnit;
  /** one number a seed, in ascending order of seeds */
  readonly values: readonly number[];
  readonly expectation: Expectation;
}

/** What a contrast says about its part of a claim. */
export type Outcome = "holds" | "fails" | "undecided";

/** A contrast with its statistics and outcome. */
export interface Measurement {
  readonly contrast: Contrast;
  readonly mean: number;
  /** with two seeds or more: bootstrap interval of the mean */
  readonly interval?: Interval;
  /** with two seeds or more: mean over standard deviation; missing where the seeds agree to the last bit */
  readonly effectSize?: number;
  readonly outcome: Outcome;
}

/** Decides a contrast: by its margin with one seed, by its margin and the bootstrap interval with several. */
export function measure(contrast: Contrast): Measurement {
  const { values, expectation } = contrast;
  const average = mean(values);
  if (values.length === 1) {
    return {
      contrast,
      mean: average,
      outcome: outcomeOf(expectation, average, { low: average, high: average }, false),
    };
  }
  const interval = bootstrapInterval(values);
  const effect = effectSize(values);
  return {
    contrast,
    mean: average,
    interval,
    ...(effect === undefined ? {} : { effectSize: effect }),
    outcome: outcomeOf(expectation, average, interval, true),
  };
}

function outcomeOf(expectation: Expectation, average: number, interval: Interval, several: boolean): Outcome {
  switch (expectation.kind) {
    case "beyond": {
      const { holdsFrom, failsTo, neutral } = expectation;
      if (average >= holdsFrom && (!several || interval.low > neutral)) return "holds";
      if (average <= failsTo && (!several || interval.high < neutral)) return "fails";
      return "undecided";
    }
    case "within": {
      const { margin } = expectation;
      if (interval.low >= -margin && interval.high <= margin) return "holds";
      return interval.low > margin || interval.high < -margin ? "fails" : "undecided";
    }
    case "not-below": {
      const { margin } = expectation;
      if (interval.low >= -margin) return "holds";
      return interval.high < -margin ? "fails" : "undecided";
    }
  }
}

/** A number with a fixed number of decimals, exactly as ECMAScript defines it, and never −0. */
export function decimal(value: number, digits = 6): string {
  const text = value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** A value of a contrast for sentences: `+1.58 %`, `0.021 nats`, `R² 0.981`. */
export function inWords(value: number, unit: ContrastUnit): string {
  const sign = value > 0 ? "+" : "";
  switch (unit) {
    case "share of loss":
      return `${sign}${decimal(100 * value, 2)} %`;
    case "nats":
      return `${sign}${decimal(value, 3)} nats`;
    case "R²":
      return `R² ${decimal(value, 3)}`;
  }
}

/** How far a measurement is from losing its outcome `holds`; the smallest decides what a sentence names. */
export function slack({ contrast: { expectation }, mean }: Measurement): number {
  switch (expectation.kind) {
    case "beyond":
      return mean - expectation.holdsFrom;
    case "within":
      return expectation.margin - Math.abs(mean);
    case "not-below":
      return mean + expectation.margin;
  }
}
