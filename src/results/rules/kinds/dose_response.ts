/** Each dose of a means against forgetting removes the share of it that another study found. */
import { z } from "zod";
import { commonStepNear, groupBySeed, shortName } from "../../arm_curves.ts";
import { type Contrast, decimal } from "../../contrast.ts";
import { mean } from "../../statistics/summary.ts";
import { LossReader, seedsInWords } from "../assessment.ts";
import { startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint } from "../words.ts";

const { run, point, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("dose-response"),
  /** the run without the means */
  baseline: run,
  /** runs with the share of the baseline's forgetting that each is said to remove */
  doses: z.array(z.strictObject({ run, removes: z.number().min(0).max(1) })).min(1).max(16),
  at: point,
  margin,
});

/** Runs that remove stated shares of forgetting. */
export type DoseResponse = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const doseResponse: RuleKind<DoseResponse> = {
  schema,
  comparisons:
    "for each dose: (F_baseline − F_run) / F_baseline − the stated share, where F is upstream L at the point − " +
    "upstream L at step 0",
  wanted: "within _±m_",
  nullModel: "a difference of _m_ from the stated share: agreement is what must be shown (two one-sided tests)",
  shows: "number",
  runsOf: ({ baseline, doses }) => [baseline, ...doses.map(({ run }) => run)],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ doses }) => doses.length,
  describe: ({ baseline, doses, at, margin }, { share }) => {
    const list = doses.map(({ run, removes }) => `${shortName(run)} ${percent(removes)}`).join(", ");
    return `share of the upstream forgetting of ${baseline} that is removed ${atPoint(at)}: ${list}, each within ` +
      `${share(margin)} of that`;
  },
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = { kind: "within", margin: context.marginValue(rule.margin) } as const;
    const groups = groupBySeed(doseResponse.runsOf(rule), context.arms);
    const removed = groups.map(({ arms }) => {
      const step = commonStepNear(rule.at, arms, context);
      const [all = NaN, ...doses] = arms.map((arm) =>
        reader.loss(arm, "upstream", step) - startLoss(arm, "upstream", reader)
      );
      return doses.map((forgotten) => (all - forgotten) / all);
    });
    const sharesOf = (dose: number) => removed.map((shares) => shares[dose] ?? NaN);
    const contrasts = rule.doses.map(({ run, removes }, dose): Contrast => ({
      label: `${shortName(run)} removes ${percent(removes)}`,
      unit: "share",
      values: sharesOf(dose).map((share) => share - removes),
      expectation,
    }));
    const summary = rule.doses.map(({ run, removes }, dose) =>
      `${shortName(run)} ${percent(mean(sharesOf(dose)))} (${percent(removes)})`
    ).join(", ");
    return {
      contrasts,
      evidence: reader.evidence,
      finding:
        `Of the forgetting of ${shortName(rule.baseline)}, and beside it the stated share, is removed by ${summary}` +
        seedsInWords(groups.length),
      summary: `removed ${summary}`,
    };
  },
};

/** `52.5 %`. */
function percent(share: number): string {
  return `${decimal(100 * share, 1)} %`;
}
