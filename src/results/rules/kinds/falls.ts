/** The loss falls from the first point to the last and never rises between two of them. */
import { z } from "zod";
import { type ArmCurves, commonStepNear, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { directional } from "../expectations.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";

const { run, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("falls"),
  run,
  metric,
  through: z.array(tokens).min(2).max(16),
  margin,
});

/** A run whose loss falls through a list of points. */
export type Falls = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const falls: RuleKind<Falls> = {
  schema,
  comparisons: "(L at the first point − L at the last) / L at the first; and the same from each point to the next",
  wanted: "the first beyond _m_, the others not below _−m_",
  nullModel: "a loss that stays",
  shows: "direction",
  runsOf: ({ run }) => [run],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ through }) => through.length,
  describe: ({ metric, run, margin, through }, { share }) =>
    `${metric} loss of ${shortName(run)} falls by ${share(margin)} or more from ` +
    `${formatPaperTokens(through[0] ?? NaN)} to ${formatPaperTokens(through.at(-1) ?? NaN)} tokens of the paper and ` +
    `rises by no more than that between ${through.slice(1, -1).map(formatPaperTokens).join(", ")}`,
  assess(rule, context) {
    const reader = new LossReader();
    const margin = context.marginValue(rule.margin);
    const groups = groupBySeed([rule.run], context.arms);
    const bySeed = groups.map(({ arms }) =>
      rule.through.map((point) => reader.loss(arms[0] as ArmCurves, rule.metric, commonStepNear(point, arms, context)))
    );
    const fall = (from: number, to: number) =>
      bySeed.map((losses) => ((losses[from] ?? NaN) - (losses[to] ?? NaN)) / (losses[from] ?? NaN));
    const points = rule.through.map(formatPaperTokens);
    const last = rule.through.length - 1;
    const whole: Contrast = {
      label: `falls from ${points[0]} to ${points[last]}`,
      unit: "share of loss",
      values: fall(0, last),
      expectation: directional(margin),
    };
    const parts = points.slice(1).map((to, from): Contrast => ({
      label: `no rise from ${points[from]} to ${to}`,
      unit: "share of loss",
      values: fall(from, from + 1),
      expectation: { kind: "not-below", margin },
    }));
    const summary = points.map((point, i) => `${point} ${lossInWords(bySeed.map((l) => l[i] ?? NaN))}`).join(", ");
    return {
      contrasts: [whole, ...parts],
      evidence: reader.evidence,
      finding: `By tokens of the paper, the ${rule.metric} loss of ${shortName(rule.run)} is ${summary}` +
        seedsInWords(bySeed.length),
      summary,
    };
  },
};
