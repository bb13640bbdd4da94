/**
 * Contrasts as rules of version 1 decide them: by their margin with one seed, by that and a bootstrap with several.
 * Manifests of versions 0.1 to 0.3 are verified by it for good; later rules are decided by src/results/judging/measurement.ts.
 */
import type { Contrast, Expectation } from "../contrast.ts";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import { effectSize, type Interval, mean } from "../statistics/summary.ts";

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
    effectSize: effect,
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
    case "at-least":
      throw new Error("Rules of version 1 have no preconditions");
  }
}
