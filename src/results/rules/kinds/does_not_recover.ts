/** At a point, every run is still higher than where it started. */
import { z } from "zod";
import { type ArmCurves, commonStepNear, groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords, stepInWords } from "../assessment.ts";
import { present } from "../expectations.ts";
import { startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { atPoint, listRuns } from "../words.ts";

const { runs, metric, point, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("does-not-recover"), runs, metric, at: point, margin });

/** Runs that stay above their start. */
export type DoesNotRecover = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const doesNotRecover: RuleKind<DoesNotRecover> = {
  schema,
  comparisons: "for each run: (L at the point − L at step 0) / L at step 0",
  wanted: "beyond _m_, refuted at 0",
  nullModel: "the run's own start",
  shows: "direction",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: ({ metric, runs, at, margin }, { share }) =>
    `${metric} loss of ${listRuns(runs)} ${atPoint(at)} is above its start by ${share(margin)} or more`,
  /** Loss at the point against the loss at step 0, for every run by itself. */
  assess(rule, context) {
    const reader = new LossReader();
    const expectation = present(context.marginValue(rule.margin));
    let firstStep: number | undefined;
    const parts = rule.runs.map((name) => {
      const read = groupBySeed([name], context.arms).map(({ arms }) => {
        const [arm] = arms as [ArmCurves];
        const step = commonStepNear(rule.at, arms, context);
        firstStep ??= step;
        return { start: startLoss(arm, rule.metric, reader), end: reader.loss(arm, rule.metric, step) };
      });
      const contrast: Contrast = {
        label: `${shortName(name)} still above its start`,
        unit: "share of loss",
        values: read.map(({ start, end }) => (end - start) / start),
        expectation,
      };
      const start = lossInWords(read.map((r) => r.start)), end = lossInWords(read.map((r) => r.end));
      return { contrast, words: `${shortName(name)} ${start} → ${end}`, seeds: read.length };
    });
    const summary = parts.map((part) => part.words).join(", ");
    return {
      contrasts: parts.map((part) => part.contrast),
      evidence: reader.evidence,
      finding: `From the start to ${stepInWords(firstStep ?? NaN, context)} the ${rule.metric} loss goes ${summary}` +
        seedsInWords(parts[0]?.seeds ?? 1),
      summary,
    };
  },
};
