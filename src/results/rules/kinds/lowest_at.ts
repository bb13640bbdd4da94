/** One run is the lowest of all at stated points; at the last of them it may be level. */
import { z } from "zod";
import { commonStepNear, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { directional } from "../expectations.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { run, runs, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("lowest-at"),
  run,
  others: runs,
  metric,
  /** ascending; at the last one the lead may be over */
  at: z.array(tokens).min(2).max(16),
  margin,
});

/** A run that leads at stated points. */
export type LowestAt = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const lowestAt: RuleKind<LowestAt> = {
  schema,
  comparisons: "for each point and each of the others: (L_other − L_run) / L_run",
  wanted: "beyond _m_; at the last point not below _−m_",
  nullModel: "the others: a run that is no lower than they are",
  shows: "direction",
  runsOf: ({ run, others }) => [run, ...others],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ others, at }) => others.length * at.length,
  describe: ({ metric, run, others, at, margin }, { share }) => {
    const last = at.length - 1;
    return `${metric} loss of ${shortName(run)} is below those of ${listRuns(others)} by ${share(margin)} or more at ` +
      `${at.slice(0, last).map(formatPaperTokens).join(", ")} tokens of the paper, and at ` +
      `${formatPaperTokens(at[last] ?? NaN)} above none by more than that`;
  },
  assess(rule, context) {
    const reader = new LossReader();
    const margin = context.marginValue(rule.margin);
    const groups = groupBySeed([rule.run, ...rule.others], context.arms);
    const parts = rule.at.map((point, index) => {
      const bySeed = groups.map(({ arms }) => {
        const step = commonStepNear(point, arms, context);
        return arms.map((arm) => reader.loss(arm, rule.metric, step));
      });
      const isLast = index === rule.at.length - 1;
      const contrasts = rule.others.map((name, other): Contrast => ({
        label: `${shortName(rule.run)} ${isLast ? "not above" : "below"} ${shortName(name)} at ${
          formatPaperTokens(point)
        }`,
        unit: "share of loss",
        values: bySeed.map((losses) => ((losses[other + 1] ?? NaN) - (losses[0] ?? NaN)) / (losses[0] ?? NaN)),
        expectation: isLast ? { kind: "not-below", margin } : directional(margin),
      }));
      const words = [rule.run, ...rule.others].map((name, run) =>
        `${shortName(name)} ${lossInWords(bySeed.map((losses) => losses[run] ?? NaN))}`
      );
      return { contrasts, words: `${formatPaperTokens(point)}: ${words.join(", ")}` };
    });
    const summary = parts.map(({ words }) => words).join("; ");
    return {
      contrasts: parts.flatMap(({ contrasts }) => contrasts),
      evidence: reader.evidence,
      finding: `By tokens of the paper, the ${rule.metric} loss is ${summary}${seedsInWords(groups.length)}`,
      summary,
    };
  },
};
