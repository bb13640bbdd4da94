/** One run is higher than the reference at one point and lower at a later one. */
import { z } from "zod";
import { type ArmCurves, commonStepNear, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { directional } from "../expectations.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint } from "../words.ts";

const { run, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("overtakes"),
  run,
  reference: run,
  metric,
  behindAt: tokens,
  aheadAt: tokens,
  margin,
});

/** A run that is behind at first and ahead later. */
export type Overtakes = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const overtakes: RuleKind<Overtakes> = {
  schema,
  comparisons: "(L_run − L_reference) / L_reference at `behindAt`; (L_reference − L_run) / L_reference at `aheadAt`",
  wanted: "both beyond _m_",
  nullModel: "the reference: no difference at either point",
  shows: "direction",
  runsOf: ({ run, reference }) => [run, reference],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 2,
  describe: ({ metric, run, reference, behindAt, aheadAt, margin }, { share }) =>
    `${metric} loss of ${shortName(run)} is above that of ${shortName(reference)} ${atPoint(behindAt)} and below it ` +
    `${atPoint(aheadAt)}, each by ${share(margin)} or more`,
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = directional(context.marginValue(rule.margin));
    const groups = groupBySeed([rule.run, rule.reference], context.arms);
    const at = (tokens: number) =>
      groups.map(({ arms }) => {
        const [run, reference] = arms as [ArmCurves, ArmCurves];
        const step = commonStepNear(tokens, arms, context);
        return { run: reader.loss(run, rule.metric, step), reference: reader.loss(reference, rule.metric, step) };
      });
    const before = at(rule.behindAt), after = at(rule.aheadAt);
    const run = shortName(rule.run), reference = shortName(rule.reference);
    const words = (read: typeof before, tokens: number) =>
      `${run} ${lossInWords(read.map((r) => r.run))}, ${reference} ${lossInWords(read.map((r) => r.reference))} at ` +
      formatPaperTokens(tokens);
    const summary = `${words(before, rule.behindAt)}; ${words(after, rule.aheadAt)}`;
    return {
      contrasts: [{
        label: `${run} behind ${reference} at ${formatPaperTokens(rule.behindAt)}`,
        unit: "share of loss",
        values: before.map((r) => (r.run - r.reference) / r.reference),
        expectation,
      }, {
        label: `${run} ahead of ${reference} at ${formatPaperTokens(rule.aheadAt)}`,
        unit: "share of loss",
        values: after.map((r) => (r.reference - r.run) / r.reference),
        expectation,
      }],
      evidence: reader.evidence,
      finding: `By tokens of the paper, the ${rule.metric} loss is ${summary}${seedsInWords(groups.length)}`,
      summary,
    };
  },
};
