/** No two runs differ by more than the margin. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import type { Contrast, Expectation } from "../../contrast.ts";
import { assessmentOf, readLosses, relativeDifferences } from "../losses_at_point.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint, listRuns } from "../words.ts";

const { severalRuns, metric, point, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("spread-within"), runs: severalRuns, metric, at: point, margin });

/** Runs that are alike. */
export type SpreadWithin = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const spreadWithin: RuleKind<SpreadWithin> = {
  schema,
  comparisons: "for all pairs a, b: (L_b − L_a) / L_a",
  wanted: "within _±m_",
  nullModel: "a difference of _m_: sameness is what must be shown (two one-sided tests)",
  shows: "sameness",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs: { length } }) => length * (length - 1) / 2,
  describe: ({ metric, runs, at, margin }, { share }) =>
    `${metric} losses of ${listRuns(runs)} ${atPoint(at)} differ by at most ${share(margin)}`,
  assess(rule, context) {
    const losses = readLosses(rule.runs, rule.metric, rule.at, context);
    const expectation: Expectation = { kind: "within", margin: context.marginValue(rule.margin) };
    const contrasts = rule.runs.flatMap((first, a) =>
      rule.runs.slice(a + 1).map((second, offset): Contrast => ({
        label: `${shortName(second)} like ${shortName(first)}`,
        unit: "share of loss",
        values: relativeDifferences(losses, a + 1 + offset, a),
        expectation,
      }))
    );
    return assessmentOf(losses, rule.metric, contrasts, context);
  },
};
