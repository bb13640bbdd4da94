/** Within a window after the start, the run rises above both its start and the reference. */
import { z } from "zod";
import { type ArmCurves, commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import { lossInWords, LossReader, seedsInWords, stepInWords, unread } from "../assessment.ts";
import { present } from "../expectations.ts";
import { largestAt, startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";

const { run, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("spikes"),
  run,
  reference: run,
  metric,
  within: tokens,
  margin,
});

/** A run that stands out at first. */
export type Spikes = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const spikes: RuleKind<Spikes> = {
  schema,
  comparisons: "largest (L_run − f) / f, where f is the larger of the run's L at step 0 and the reference's L at the " +
    "same step; at the step of the window where L_run − f is largest",
  wanted: "beyond _m_, refuted at 0",
  nullModel: "the run's own start and the reference at the same step",
  shows: "direction",
  supersededBy: "peaks-above",
  runsOf: ({ run, reference }) => [run, reference],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 1,
  describe: ({ metric, run, reference, margin, within }, { share }) =>
    `${metric} loss of ${shortName(run)} rises above both its start and ${shortName(reference)} by ${share(margin)} ` +
    `or more within ${formatPaperTokens(within)} tokens of the paper`,
  /** Largest excess in the window over both the run's start and the reference at the same step. */
  assess(rule, context) {
    const reader = new LossReader();
    const read = groupBySeed([rule.run, rule.reference], context.arms).map(({ arms }) => {
      const [arm, reference] = arms as [ArmCurves, ArmCurves];
      const steps = commonStepsWithin(rule.within, arms, context);
      const start = startLoss(arm, rule.metric, reader);
      const floor = (step: number) => Math.max(start, unread(reference, rule.metric, step));
      const at = largestAt(steps, (step) => unread(arm, rule.metric, step) - floor(step));
      const loss = reader.loss(arm, rule.metric, at);
      return {
        at,
        start,
        loss,
        reference: reader.loss(reference, rule.metric, at),
        excess: (loss - floor(at)) / floor(at),
      };
    });
    const run = shortName(rule.run), reference = shortName(rule.reference);
    const summary = `${run} ${lossInWords(read.map((r) => r.loss))}, ${reference} ` +
      `${lossInWords(read.map((r) => r.reference))}, start ${lossInWords(read.map((r) => r.start))}`;
    return {
      contrasts: [{
        label: `${run} above its start and ${reference}`,
        unit: "share of loss",
        values: read.map((r) => r.excess),
        expectation: present(context.marginValue(rule.margin)),
      }],
      evidence: reader.evidence,
      finding:
        `At ${stepInWords(read[0]?.at ?? NaN, context)}, where ${run} stands out most, the ${rule.metric} loss is ` +
        `${summary}${seedsInWords(read.length)}`,
      summary,
    };
  },
};
