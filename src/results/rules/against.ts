/** What the rules that set runs against a reference share: `below`, `above` and `not-below`. */
import { shortName } from "../arm_curves.ts";
import type { Contrast, Expectation } from "../contrast.ts";
import type { Assessment, RuleContext } from "./assessment.ts";
import { assessmentOf, readLosses, relativeDifferences } from "./losses_at_point.ts";
import { type Metric, type PaperPoint, ruleParts } from "./parts.ts";
import { atPoint, listRuns } from "./words.ts";

const { run, runs, metric, point, margin } = ruleParts;

/** Fields of a rule that sets runs against a reference. */
export const againstShape = { runs, reference: run, metric, at: point, margin };

/** Such a rule. */
export interface Against {
  readonly runs: readonly string[];
  readonly reference: string;
  readonly metric: Metric;
  readonly at: PaperPoint;
  readonly margin: string;
}

/** Every run, then the reference. */
export function runsAgainst({ runs, reference }: Against): string[] {
  return [...runs, reference];
}

/** `downstream loss of 1x at 50B tokens of the paper is below that of 2x`, with what stands for `below`. */
export function describeAgainst(rule: Against, relation: string): string {
  return `${rule.metric} loss of ${listRuns(rule.runs)} ${atPoint(rule.at)} is ${relation} that of ` +
    shortName(rule.reference);
}

/**
 * Every run against the reference, as a share of the reference's loss.
 *
 * @param sign 1 where an excess over the reference is expected, −1 where a deficit is
 */
export function assessAgainst(
  rule: Against,
  context: RuleContext,
  relation: string,
  sign: 1 | -1,
  expectation: Expectation,
): Assessment {
  const losses = readLosses(runsAgainst(rule), rule.metric, rule.at, context);
  const contrasts = rule.runs.map((name, run): Contrast => ({
    label: `${shortName(name)} ${relation} ${shortName(rule.reference)}`,
    unit: "share of loss",
    values: relativeDifferences(losses, run, rule.runs.length).map((value) => sign * value),
    expectation,
  }));
  return assessmentOf(losses, rule.metric, contrasts, context);
}
