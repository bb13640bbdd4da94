/** Perplexities move together on a line more than those of a reference do. */
import { z } from "zod";
import { type ArmCurves, commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { directional } from "../expectations.ts";
import { pairsOfRuns, runsOfPairs } from "../pairs.ts";
import { ruleParts } from "../parts.ts";
import { perplexityLine } from "../perplexity_line.ts";
import type { RuleKind } from "../rule_kind.ts";

const { tokens, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("more-linear"), pairs: pairsOfRuns, until: tokens, margin });

/** Runs nearer to a line than their references. */
export type MoreLinear = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const moreLinear: RuleKind<MoreLinear> = {
  schema,
  comparisons:
    "for each pair: S_run − S_reference, where S is R² of the least-squares line of downstream perplexity over " +
    "upstream perplexity through all evaluations that both share from step 0 to the point, five at least, and negative " +
    "where the line falls",
  wanted: "beyond _m_",
  nullModel: "the reference's own line",
  shows: "direction",
  runsOf: runsOfPairs,
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ pairs }) => pairs.length,
  describe: ({ pairs, until, margin }, { value }) => {
    const list = pairs.map(({ run, reference }) => `${run} than of ${reference}`);
    return `until ${
      formatPaperTokens(until)
    } tokens of the paper, downstream over upstream perplexity is nearer to a ` +
      `rising line of ${list.join(", of ")}, each by ${value(margin)} of R² or more`;
  },
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = directional(context.marginValue(rule.margin));
    const parts = rule.pairs.map(({ run, reference }) => {
      const read = groupBySeed([run, reference], context.arms).map(({ arms }) => {
        const steps = [0, ...commonStepsWithin(rule.until, arms, context)];
        const [own, other] = arms as [ArmCurves, ArmCurves];
        return { own: nearness(own, steps, reader), other: nearness(other, steps, reader) };
      });
      const contrast: Contrast = {
        label: `${shortName(run)} on a line more than ${reference}`,
        unit: "R²",
        values: read.map(({ own, other }) => own - other),
        expectation,
      };
      const words = `${shortName(run)} ${lossInWords(read.map((r) => r.own))} (${reference} ` +
        `${lossInWords(read.map((r) => r.other))})`;
      return { contrast, words, seeds: read.length };
    });
    const summary = `R² ${parts.map(({ words }) => words).join(", ")}`;
    return {
      contrasts: parts.map(({ contrast }) => contrast),
      evidence: reader.evidence,
      finding: `Downstream over upstream perplexity within ${formatPaperTokens(rule.until)} tokens of the paper has ` +
        `${summary}, negative where the line falls${seedsInWords(parts[0]?.seeds ?? 1)}`,
      summary,
    };
  },
};

/** R² with the sign of the slope. */
function nearness(arm: ArmCurves, steps: readonly number[], reader: LossReader): number {
  const { slope, rSquared } = perplexityLine(arm, steps, reader);
  return slope < 0 ? -rSquared : rSquared;
}
