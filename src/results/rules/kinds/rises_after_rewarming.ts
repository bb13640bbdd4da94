/** Within a window after the start, every run's loss rises above where it started. */
import { z } from "zod";
import { commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { present } from "../expectations.ts";
import { highestStep, startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { runs, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("rises-after-rewarming"), runs, metric, within: tokens, margin });

/** Runs whose loss rises at first. */
export type RisesAfterRewarming = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const risesAfterRewarming: RuleKind<RisesAfterRewarming> = {
  schema,
  comparisons: "for each run: (highest L in the window − L at step 0) / L at step 0",
  wanted: "beyond _m_, refuted at 0",
  nullModel: "the run's own start, which a run that was never re-warmed passes as well",
  shows: "direction",
  supersededBy: "peaks-above",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: ({ metric, runs, margin, within }, { share }) =>
    `${metric} loss of ${listRuns(runs)} rises above its start by ${share(margin)} or more within ` +
    `${formatPaperTokens(within)} tokens of the paper`,
  /** Highest loss in the window against the loss at step 0, for every run by itself. */
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = present(context.marginValue(rule.margin));
    const parts = rule.runs.map((name) => {
      const arms = groupBySeed([name], context.arms).flatMap((group) => group.arms);
      const read = arms.map((arm) => {
        const start = startLoss(arm, rule.metric, reader);
        const steps = commonStepsWithin(rule.within, [arm], context);
        const at = highestStep(arm, rule.metric, steps);
        return { start, peak: reader.loss(arm, rule.metric, at), at };
      });
      const contrast: Contrast = {
        label: `${shortName(name)} above its start`,
        unit: "share of loss",
        values: read.map(({ start, peak }) => (peak - start) / start),
        expectation,
      };
      const start = lossInWords(read.map((r) => r.start)), peak = lossInWords(read.map((r) => r.peak));
      return { contrast, words: `${shortName(name)} ${start} → ${peak}`, seeds: read.length };
    });
    const summary = parts.map((part) => part.words).join(", ");
    return {
      contrasts: parts.map((part) => part.contrast),
      evidence: reader.evidence,
      finding: `From the start to the highest point within ${formatPaperTokens(rule.within)} tokens of the paper the ` +
        `${rule.metric} loss goes ${summary}${seedsInWords(parts[0]?.seeds ?? 1)}`,
      summary,
    };
  },
};
