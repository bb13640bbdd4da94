/**
 * Claims by rules of version 1, those of rewarm 0.1 to 0.3: manifests that carry them are verified by them for good.
 * Nothing here may change.
 */
import { type ArmCurves, CannotRead, type JudgeContext } from "../arm_curves.ts";
import type { Claim } from "../claim_schema.ts";
import { askedInWords, decimal, inWords, slack } from "../contrast.ts";
import type { Paper } from "../paper_schema.ts";
import { assess } from "../rules/assess.ts";
import type { Assessment } from "../rules/assessment.ts";
import { describeRule } from "../rules/describe.ts";
import { BOOTSTRAP_LEVEL, BOOTSTRAP_RESAMPLES, BOOTSTRAP_SEED } from "../statistics/bootstrap.ts";
import { measure, type Measurement } from "./earlier_measurement.ts";
import type { NamedNumber, Verdict, VerdictName } from "./verdict.ts";

/**
 * Judges every claim, in the order of the experiments.
 *
 * @param arms curves of every arm that was run, at every seed, in any order
 */
export function judgeEarlierClaims(paper: Paper, arms: readonly ArmCurves[], context: JudgeContext): Verdict[] {
  return paper.claims.map((claim) => judgeClaim(claim, paper.margins, arms, context));
}

function judgeClaim(
  claim: Claim,
  margins: Paper["margins"],
  arms: readonly ArmCurves[],
  context: JudgeContext,
): Verdict {
  const { id, title, statement, section, figure, confidence, note } = claim;
  const rule = describeRule(claim.rule, margins) + (note === undefined ? "" : `; ${note}`);
  const about = { id, title, statement, section, figure, confidence, rule };
  const notComparable = (why: string): Verdict => ({
    ...about,
    verdict: "not comparable",
    reason: `Not comparable: ${why}.`,
    summary: why,
    numbers: [],
    evidence: [],
  });
  if (claim.comparable === "paper-scale" && !context.isPaperScale) {
    return notComparable(`an absolute number of the paper's model, and scale "${context.scale}" trains another`);
  }
  let assessment: Assessment;
  try {
    assessment = assess(claim.rule, { ...context, arms, marginValue: (name) => margins[name]?.value ?? NaN });
  } catch (error) {
    if (!(error instanceof CannotRead)) throw error;
    return notComparable(error.message);
  }
  const measurements = assessment.contrasts.map(measure);
  const verdict = combine(measurements);
  return {
    ...about,
    verdict,
    reason: `${assessment.finding}; ${explain(verdict, measurements)}.`,
    summary: assessment.summary,
    numbers: measurements.flatMap(numbersOf),
    evidence: assessment.evidence,
  };
}

/** Every part must hold; one that fails refutes the claim, whatever the others say. */
function combine(measurements: readonly Measurement[]): VerdictName {
  if (measurements.some(({ outcome }) => outcome === "fails")) return "contradicted";
  return measurements.some(({ outcome }) => outcome === "undecided") ? "inconclusive" : "reproduced";
}

const distance = ({ contrast, mean }: Measurement) => slack(contrast.expectation, mean);

function explain(verdict: VerdictName, measurements: readonly Measurement[]): string {
  const of = (outcome: Measurement["outcome"]) => measurements.filter((m) => m.outcome === outcome);
  if (verdict === "reproduced") {
    const [first, ...others] = measurements;
    if (first === undefined) throw new Error("A rule without contrasts");
    const nearest = others.reduce((a, b) => distance(b) < distance(a) ? b : a, first);
    return others.length === 0
      ? `${inBrief(nearest)}: it holds`
      : `${others.length === 1 ? "both" : `all ${measurements.length}`} comparisons hold, the narrowest being ` +
        inBrief(nearest);
  }
  const named = verdict === "contradicted" ? of("fails") : of("undecided");
  const held = of("holds").length;
  const opening = verdict === "contradicted" ? "this does not hold" : "this stays undecided";
  return `${opening}: ${named.map(inBrief).join("; ")}` +
    (held === 0 ? "" : ` (${held} of ${measurements.length} comparisons hold)`);
}

/** `"2x below 1x" +1.58 % (0.50 % or more asked)`. */
function inBrief({ contrast, mean, interval }: Measurement): string {
  const { label, unit } = contrast;
  const between = interval === undefined
    ? ""
    : `, interval ${inWords(interval.low, unit)} to ${inWords(interval.high, unit)}`;
  return `"${label}" ${inWords(mean, unit)}${between} (${askedInWords(contrast)})`;
}

function numbersOf({ contrast, mean, interval, effectSize }: Measurement): NamedNumber[] {
  const name = `${contrast.label}, ${contrast.unit}`;
  if (interval === undefined) return [{ name, value: decimal(mean) }];
  const level = `${decimal(100 * BOOTSTRAP_LEVEL, 0)} % bootstrap interval`;
  return [
    { name: `${name}, mean of ${contrast.values.length} seeds`, value: decimal(mean) },
    { name: `${name}, ${level}, low`, value: decimal(interval.low) },
    { name: `${name}, ${level}, high`, value: decimal(interval.high) },
    ...(effectSize === undefined ? [] : [{ name: `${contrast.label}, effect size`, value: decimal(effectSize, 3) }]),
  ];
}

/** How verdicts were reached, in a sentence for reports and manifests. */
export function describeEarlierMethod(seeds: number): string {
  return seeds === 1
    ? "One seed: a verdict compares a single difference with the margin of its rule, and knows nothing of the noise " +
      "between seeds."
    : `${seeds} seeds: differences are paired by seed; the interval is a percentile bootstrap of their mean ` +
      `(${decimal(100 * BOOTSTRAP_LEVEL, 0)} %, ${BOOTSTRAP_RESAMPLES} resamples, Philox seed ${BOOTSTRAP_SEED}).`;
}
