/** Losses are monotone along the list; with `ties`, a step may also be flat within the margin. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import type { Contrast, Expectation } from "../../contrast.ts";
import { directional } from "../expectations.ts";
import { assessmentOf, readLosses, relativeDifferences } from "../losses_at_point.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint, listRuns } from "../words.ts";

const { severalRuns, metric, point, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("ordered"),
  runs: severalRuns,
  direction: z.enum(["rising", "falling"]),
  ties: z.boolean().default(false),
  metric,
  at: point,
  margin,
});

/** Losses that rise or fall along a list of runs. */
export type Ordered = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const ordered: RuleKind<Ordered> = {
  schema,
  comparisons: "for neighbours a, b of the list: rising (L_b − L_a) / L_a, falling its negative",
  wanted: "beyond _m_; with `ties`: not below _−m_",
  nullModel: "neighbours that are equal",
  shows: "direction",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length - 1,
  describe: ({ metric, at, direction, runs, ties, margin }, { share }) =>
    `${metric} loss ${atPoint(at)} ${direction === "rising" ? "rises" : "falls"} from ${listRuns(runs, "to")}, ${
      ties ? `a step the wrong way of up to ${share(margin)} allowed` : `each by ${share(margin)} or more`
    }`,
  assess(rule, context) {
    const losses = readLosses(rule.runs, rule.metric, rule.at, context);
    const margin = context.marginValue(rule.margin);
    const expectation: Expectation = rule.ties ? { kind: "not-below", margin } : directional(margin);
    const word = rule.direction === "rising" ? "above" : "below";
    const contrasts = rule.runs.slice(1).map((name, before): Contrast => {
      const rise = relativeDifferences(losses, before + 1, before);
      return {
        label: `${shortName(name)} ${rule.ties ? "level with or " : ""}${word} ${shortName(rule.runs[before] ?? "")}`,
        unit: "share of loss",
        values: rule.direction === "rising" ? rise : rise.map((value) => -value),
        expectation,
      };
    });
    return assessmentOf(losses, rule.metric, contrasts, context);
  },
};
