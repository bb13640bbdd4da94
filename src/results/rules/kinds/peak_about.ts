/** The highest loss of all runs is a number of the paper. */
import { z } from "zod";
import { type ArmCurves, CannotRead, groupBySeed } from "../../arm_curves.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { runs, metric, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("peak-about"),
  runs,
  metric,
  value: z.number().positive().max(100),
  margin,
});

/** Runs whose highest loss the paper gives. */
export type PeakAbout = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const peakAbout: RuleKind<PeakAbout> = {
  schema,
  comparisons: "highest L of all runs − the paper's number, in nats",
  wanted: "within _±m_",
  nullModel: "a difference of _m_ from the paper's number",
  shows: "number",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 1,
  describe: ({ metric, runs, value: number, margin }, { value }) =>
    `highest ${metric} loss of ${listRuns(runs)} is ${number} nats, within ${value(margin)}`,
  assess(rule, context) {
    const reader = new LossReader();
    const peaks = groupBySeed(rule.runs, context.arms).map(({ arms }) => {
      let highest = { value: -Infinity, arm: arms[0] as ArmCurves, step: 0 };
      for (const arm of arms) {
        if (arm.curves.diverged !== undefined && arm.curves.diverged.step < arm.steps) {
          throw new CannotRead(
            `"${arm.experiment}/${arm.arm}" (seed ${arm.seedIndex}) diverged at step ${arm.curves.diverged.step}`,
          );
        }
        for (const point of arm.curves.points) {
          if (point.step > arm.steps || !(point[rule.metric] > highest.value)) continue;
          highest = { value: point[rule.metric], arm, step: point.step };
        }
      }
      if (highest.value === -Infinity) throw new CannotRead("the curves have no evaluation");
      return reader.loss(highest.arm, rule.metric, highest.step);
    });
    const summary = `highest ${rule.metric} loss ${lossInWords(peaks)}`;
    return {
      contrasts: [{
        label: `highest ${rule.metric} loss about ${rule.value}`,
        unit: "nats",
        values: peaks.map((peak) => peak - rule.value),
        expectation: { kind: "within", margin: context.marginValue(rule.margin) },
      }],
      evidence: reader.evidence,
      finding: `The ${summary}${seedsInWords(peaks.length)}`,
      summary,
    };
  },
};
