/**
 * Contrasts with their errors: what of them is shown, and how surely the opposite is. An error comes from seeds (several
 * of them), from validation documents (losses by document), or from both, and then a comparison must hold against each.
 * Without any, nothing is shown.
 */
import type { Contrast, Expectation } from "../contrast.ts";
import {
  errorOverSeeds,
  probabilityAbove,
  probabilityBelow,
  type StandardError,
  tInterval,
} from "../statistics/paired_test.ts";
import { FEWEST_FLIPPED, signFlipProbability } from "../statistics/sign_flip.ts";
import { effectSize, type Interval, mean } from "../statistics/summary.ts";

/** Share of intervals that cover the truth. */
export const LEVEL = 0.95;

/** Probability, one-sided, at which a difference is shown: half of what lies outside an interval of 95 %. */
const ONE_SIDED = 0.025;

/** The same of each of the two one-sided tests of equivalence (Schuirmann 1987): together they err in 5 %. */
const EQUIVALENCE = 0.05;

/** The same of sign flips, which with five seeds cannot be surer than 1/32. */
const SIGN_FLIP = 0.05;

/** Where an error comes from, and how large it is. */
export interface ErrorSource {
  readonly over: "seeds" | "documents";
  /** seeds or documents */
  readonly count: number;
  readonly error: StandardError;
}

/** The error of a contrast that follows from its documents. */
export type SamplingError = ErrorSource & { readonly over: "documents" };

/** What a contrast says about its part of a claim; `opposite` is not shown yet, before all claims are looked at. */
export type Outcome = "holds" | "opposite" | "undecided";

/** A contrast with its errors and outcome. */
export interface Measurement {
  readonly contrast: Contrast;
  readonly mean: number;
  readonly sources: readonly (ErrorSource & { readonly interval: Interval })[];
  /** with two seeds or more: mean over standard deviation; missing where the seeds agree to the last bit */
  readonly effectSize?: number;
  readonly outcome: Outcome;
  /** probability of numbers this far on the other side if what is claimed were so; 1 where they are not */
  readonly opposite: number;
}

/** A number that the truth is to lie beyond. */
interface OneSided {
  readonly side: "above" | "below";
  readonly number: number;
}

/**
 * The errors that are known of a mean.
 *
 * @param values one a seed; two or more give an error over seeds
 * @param sampling its error over documents, where that is known
 */
export function errorSources(values: readonly number[], sampling?: SamplingError): ErrorSource[] {
  return [
    ...(values.length < 2 ? [] : [{ over: "seeds", count: values.length, error: errorOverSeeds(values) } as const]),
    ...(sampling === undefined ? [] : [sampling]),
  ];
}

/** Measures a contrast. */
export function measureContrast(contrast: Contrast, sampling?: SamplingError): Measurement {
  const { values, expectation } = contrast;
  const estimate = mean(values);
  const sources = errorSources(values, sampling);
  const against = oppositeOf(expectation, estimate);
  const effect = values.length < 2 ? undefined : effectSize(values);
  const holds = isFarEnough(expectation, estimate) &&
    shown(contrast, estimate, sources, wantedOf(expectation), expectation.kind === "within" ? EQUIVALENCE : ONE_SIDED);
  const opposite = against === undefined || sources.length === 0 || !flipsAgree(values, against)
    ? 1
    : Math.min(1, (expectation.kind === "within" ? 2 : 1) * largest(estimate, sources, against));
  return {
    contrast,
    mean: estimate,
    sources: sources.map((source) => ({ ...source, interval: tInterval(estimate, source.error, LEVEL) })),
    effectSize: effect,
    outcome: holds ? "holds" : against === undefined ? "undecided" : "opposite",
    opposite,
  };
}

/** Whether an estimate reaches its margin; what is more than that is up to its error. */
function isFarEnough(expectation: Expectation, estimate: number): boolean {
  switch (expectation.kind) {
    case "beyond":
      return estimate >= expectation.holdsFrom;
    case "at-least":
      return estimate >= expectation.value;
    default:
      return true;
  }
}

/** What the truth must be shown to lie beyond for a comparison to hold. */
function wantedOf(expectation: Expectation): OneSided[] {
  switch (expectation.kind) {
    case "beyond":
      return [{ side: "above", number: expectation.neutral }];
    case "within":
      return [{ side: "above", number: -expectation.margin }, { side: "below", number: expectation.margin }];
    case "not-below":
      return [{ side: "above", number: -expectation.margin }];
    case "at-least":
      return [{ side: "above", number: expectation.value }];
  }
}

/** What the truth must be shown to lie beyond for the opposite to be shown; undefined where the estimate is not there. */
function oppositeOf(expectation: Expectation, estimate: number): OneSided | undefined {
  switch (expectation.kind) {
    case "beyond": {
      const { holdsFrom, failsTo, neutral } = expectation;
      // a difference the other way is held against none, an absent rise against one of the margin
      return estimate <= failsTo ? { side: "below", number: failsTo + (holdsFrom - neutral) } : undefined;
    }
    case "within":
      if (estimate > expectation.margin) return { side: "above", number: expectation.margin };
      return estimate < -expectation.margin ? { side: "below", number: -expectation.margin } : undefined;
    case "not-below":
      return estimate < -expectation.margin ? { side: "below", number: -expectation.margin } : undefined;
    case "at-least":
      return estimate < expectation.value ? { side: "below", number: expectation.value } : undefined;
  }
}

function shown(
  { values, expectation }: Contrast,
  estimate: number,
  sources: readonly ErrorSource[],
  wanted: readonly OneSided[],
  level: number,
): boolean {
  // a precondition is a fact of the plan or the size of a loss, not a difference: without an error its number stands
  if (sources.length === 0) return expectation.kind === "at-least";
  return wanted.every((test) => largest(estimate, sources, test) <= level && flipsAgree(values, test));
}

/** The least sure of the sources decides. */
function largest(estimate: number, sources: readonly ErrorSource[], { side, number }: OneSided): number {
  const probability = side === "above" ? probabilityAbove : probabilityBelow;
  return Math.max(...sources.map(({ error }) => probability(estimate, number, error)));
}

/** From five seeds on, sign flips must agree: they do not ask for normal differences. */
function flipsAgree(values: readonly number[], { side, number }: OneSided): boolean {
  if (values.length < FEWEST_FLIPPED) return true;
  const excess = values.map((value) => side === "above" ? value - number : number - value);
  return signFlipProbability(excess) <= SIGN_FLIP;
}
