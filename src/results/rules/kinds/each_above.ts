/** Every run is higher than a reference of its own. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { directional } from "../expectations.ts";
import { assessmentOf, readLosses, relativeDifferences } from "../losses_at_point.ts";
import { pairsOfRuns, runsOfPairs } from "../pairs.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint } from "../words.ts";

const { metric, point, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("each-above"), pairs: pairsOfRuns, metric, at: point, margin });

/** Runs above references of their own. */
export type EachAbove = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const eachAbove: RuleKind<EachAbove> = {
  schema,
  comparisons: "for each pair: (L_run − L_reference) / L_reference",
  wanted: "beyond _m_",
  nullModel: "the reference: no difference",
  shows: "direction",
  runsOf: runsOfPairs,
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ pairs }) => pairs.length,
  describe: ({ pairs, metric, at, margin }, { share }) => {
    const list = pairs.map(({ run, reference }) => `of ${shortName(run)} above that of ${shortName(reference)}`);
    return `${metric} loss ${atPoint(at)}: ${list.join(", ")}, each by ${share(margin)} or more`;
  },
  assess(rule, context) {
    const losses = readLosses(runsOfPairs(rule), rule.metric, rule.at, context);
    const expectation = directional(context.marginValue(rule.margin));
    const contrasts = rule.pairs.map(({ run, reference }, index): Contrast => ({
      label: `${shortName(run)} above ${shortName(reference)}`,
      unit: "share of loss",
      values: relativeDifferences(losses, 2 * index, 2 * index + 1),
      expectation,
    }));
    return assessmentOf(losses, rule.metric, contrasts, context);
  },
};
