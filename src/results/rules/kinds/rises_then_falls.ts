/** The later a run stands in the list, the higher its first peak; and every run comes down from it. */
import { z } from "zod";
import { commonStepNear, commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { directional } from "../expectations.ts";
import { highestStep } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint, listRuns } from "../words.ts";

const { severalRuns, metric, tokens, point, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("rises-then-falls"),
  runs: severalRuns,
  metric,
  within: tokens,
  at: point,
  margin,
});

/** Runs whose peaks are ordered, and pass. */
export type RisesThenFalls = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const risesThenFalls: RuleKind<RisesThenFalls> = {
  schema,
  comparisons:
    "for neighbours a, b of the list: (P_b − P_a) / P_a, where P is the highest L of the window; for each run: " +
    "(P − L at the point) / P",
  wanted: "beyond _m_",
  nullModel: "peaks of the same height, and losses that stay there",
  shows: "direction",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => 2 * runs.length - 1,
  describe: ({ metric, runs, within, at, margin }, { share }) =>
    `highest ${metric} loss within ${formatPaperTokens(within)} tokens of the paper rises from ${
      listRuns(runs, "to")
    }, ` +
    `each by ${share(margin)} or more, and is ${share(margin)} or more above that ${atPoint(at)}`,
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = directional(context.marginValue(rule.margin));
    const bySeed = groupBySeed(rule.runs, context.arms).map(({ arms }) => {
      const steps = commonStepsWithin(rule.within, arms, context);
      const end = commonStepNear(rule.at, arms, context);
      return arms.map((arm) => ({
        peak: reader.loss(arm, rule.metric, highestStep(arm, rule.metric, steps)),
        end: reader.loss(arm, rule.metric, end),
      }));
    });
    const peaks = (run: number) => bySeed.map((runs) => runs[run]?.peak ?? NaN);
    const ends = (run: number) => bySeed.map((runs) => runs[run]?.end ?? NaN);
    const names = rule.runs.map(shortName);
    const rises = names.slice(1).map((name, before): Contrast => ({
      label: `peak of ${name} above that of ${names[before]}`,
      unit: "share of loss",
      values: peaks(before + 1).map((peak, seed) =>
        (peak - (peaks(before)[seed] ?? NaN)) / (peaks(before)[seed] ?? NaN)
      ),
      expectation,
    }));
    const falls = names.map((name, run): Contrast => ({
      label: `${name} below its peak`,
      unit: "share of loss",
      values: peaks(run).map((peak, seed) => (peak - (ends(run)[seed] ?? NaN)) / peak),
      expectation,
    }));
    const summary = names.map((name, run) => `${name} ${lossInWords(peaks(run))} → ${lossInWords(ends(run))}`).join(
      ", ",
    );
    return {
      contrasts: [...rises, ...falls],
      evidence: reader.evidence,
      finding: `From its peak to its loss ${atPoint(rule.at)} the ${rule.metric} loss goes ${summary}` +
        seedsInWords(bySeed.length),
      summary,
    };
  },
};
