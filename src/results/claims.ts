/**
 * The paper's claims, judged by their rules on our curves, as the version of the rules asks. Pure: the same curves give
 * the same verdicts anywhere.
 */
import type { ArmCurves, JudgeContext } from "./arm_curves.ts";
import { describeCurrentMethod, judgeCurrentClaims } from "./judging/current.ts";
import { describeEarlierMethod, judgeEarlierClaims } from "./judging/earlier.ts";
import type { Verdict } from "./judging/verdict.ts";
import type { Paper } from "./paper_schema.ts";
import type { RulesVersion } from "./rules_version.ts";

export type { ArmCurves, JudgeContext } from "./arm_curves.ts";
export { type NamedNumber, type Verdict, VERDICT_NAMES, type VerdictName } from "./judging/verdict.ts";
export type { Evidence } from "./rules/assessment.ts";

/**
 * Judges every claim, in the order of the experiments.
 *
 * @param arms curves of every arm that was run, at every seed, in any order
 */
export function judgeClaims(paper: Paper, arms: readonly ArmCurves[], context: JudgeContext): Verdict[] {
  return paper.rulesVersion === 1 ? judgeEarlierClaims(paper, arms, context) : judgeCurrentClaims(paper, arms, context);
}

/** How verdicts were reached, in sentences for reports and manifests. */
export function describeMethod(seeds: number, version: RulesVersion): string {
  return version === 1 ? describeEarlierMethod(seeds) : describeCurrentMethod(seeds);
}
