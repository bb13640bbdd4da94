/** Within a window after the start, each run's highest loss is above both its start and the reference's highest. */
import { z } from "zod";
import { type ArmCurves, commonStepsWithin, formatPaperTokens, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { present } from "../expectations.ts";
import { highestStep, startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { run, runs, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("peaks-above"), runs, reference: run, metric, within: tokens, margin });

/** Runs whose first peak stands out, peak to peak. */
export type PeaksAbove = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const peaksAbove: RuleKind<PeaksAbove> = {
  schema,
  comparisons:
    "for each run: (P_run − f) / f, where P is the highest L of the window, at the evaluations that run and " +
    "reference share, and f the larger of the run's L at step 0 and P_reference",
  wanted: "beyond _m_, refuted at 0",
  nullModel: "the reference's own peak: what happens without what the runs vary",
  shows: "direction",
  runsOf: ({ runs, reference }) => [...runs, reference],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: ({ metric, runs, reference, margin, within }, { share }) =>
    `highest ${metric} loss of ${listRuns(runs)} within ${
      formatPaperTokens(within)
    } tokens of the paper is above both ` +
    `its start and the highest of ${shortName(reference)} by ${share(margin)} or more`,
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = present(context.marginValue(rule.margin));
    const reference = shortName(rule.reference);
    const parts = rule.runs.map((name) => {
      const read = groupBySeed([name, rule.reference], context.arms).map(({ arms }) => {
        const [run, control] = arms as [ArmCurves, ArmCurves];
        const steps = commonStepsWithin(rule.within, arms, context);
        const peakOf = (arm: ArmCurves) => reader.loss(arm, rule.metric, highestStep(arm, rule.metric, steps));
        return { start: startLoss(run, rule.metric, reader), peak: peakOf(run), control: peakOf(control) };
      });
      const contrast: Contrast = {
        label: `peak of ${shortName(name)} above its start and that of ${reference}`,
        unit: "share of loss",
        values: read.map(({ start, peak, control }) => {
          const floor = Math.max(start, control);
          return (peak - floor) / floor;
        }),
        expectation,
      };
      const words = `${shortName(name)} ${lossInWords(read.map((r) => r.peak))} (start ` +
        `${lossInWords(read.map((r) => r.start))}, ${reference} ${lossInWords(read.map((r) => r.control))})`;
      return { contrast, words, seeds: read.length };
    });
    const summary = `peaks ${parts.map(({ words }) => words).join(", ")}`;
    return {
      contrasts: parts.map(({ contrast }) => contrast),
      evidence: reader.evidence,
      finding:
        `Within ${formatPaperTokens(rule.within)} tokens of the paper the ${rule.metric} loss has its ${summary}` +
        seedsInWords(parts[0]?.seeds ?? 1),
      summary,
    };
  },
};
