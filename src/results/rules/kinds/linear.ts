/** Downstream perplexity is a straight line over upstream perplexity. */
import { z } from "zod";
import { type ArmCurves, commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import { type Contrast, decimal } from "../../contrast.ts";
import { mean } from "../../statistics/summary.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { ruleParts } from "../parts.ts";
import { perplexityLine } from "../perplexity_line.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { runs, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("linear"),
  runs,
  until: tokens,
  /** names of the margins at and above which R² is a line, and at and below which it is none */
  line: margin,
  noLine: margin,
});

/** Runs whose perplexities move together. */
export type Linear = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const linear: RuleKind<Linear> = {
  schema,
  comparisons: "for each run: R² of the least-squares line of downstream perplexity over upstream perplexity through " +
    "all evaluations from step 0 to the point, five at least; 0 if the line falls",
  wanted: "beyond 0.95, refuted at 0.8",
  nullModel: "none: two thresholds of R²",
  shows: "direction",
  supersededBy: "more-linear",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ line, noLine }) => ({ line, noLine }),
  contrastCount: ({ runs }) => runs.length,
  describe: ({ runs, until, line, noLine }, { value }) =>
    `downstream over upstream perplexity of ${listRuns(runs)} until ${formatPaperTokens(until)} tokens of the paper ` +
    `is a rising line with R² of ${value(line)} or more (${value(noLine)} or less: no line)`,
  /** R² of downstream over upstream perplexity, for every run by itself, from its start to the point. */
  assess(rule, context) {
    const reader = new LossReader();
    const holdsFrom = context.marginValue(rule.line), failsTo = context.marginValue(rule.noLine);
    const parts = rule.runs.map((name) => {
      const lines = groupBySeed([name], context.arms).map(({ arms }) => {
        const [arm] = arms as [ArmCurves];
        const first = arm.curves.points.slice(0, 1).map((point) => point.step);
        const steps = [...new Set([...first, ...commonStepsWithin(rule.until, arms, context)])];
        return perplexityLine(arm, steps, reader);
      });
      return {
        fit: {
          label: `${shortName(name)} on a line`,
          unit: "R²",
          values: lines.map((line) => line.rSquared),
          expectation: { kind: "beyond", holdsFrom, failsTo, neutral: (holdsFrom + failsTo) / 2 },
        } satisfies Contrast,
        words: `${shortName(name)} R² ${lossInWords(lines.map((line) => line.rSquared))}, slope ` +
          decimal(mean(lines.map((line) => line.slope)), 2),
        rising: lines.every((line) => line.slope > 0),
        seeds: lines.length,
        name,
      };
    });
    const summary = parts.map((part) => part.words).join("; ");
    const falling = parts.filter((part) => !part.rising).map((part) => shortName(part.name));
    return {
      // a falling line is not "moving together": it counts as none
      contrasts: parts.map(({ fit, rising }) => rising ? fit : { ...fit, values: fit.values.map(() => 0) }),
      evidence: reader.evidence,
      finding:
        `Downstream over upstream perplexity within ${formatPaperTokens(rule.until)} tokens of the paper: ${summary}` +
        seedsInWords(parts[0]?.seeds ?? 1) +
        (falling.length === 0 ? "" : `; a falling line (${falling.join(", ")}) counts as R² 0`),
      summary,
    };
  },
};
