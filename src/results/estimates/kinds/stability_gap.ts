/** The stability gap: how high a loss rises at first over that of a control, and for how long it stays above it. */
import { z } from "zod";
import {
  type ArmCurves,
  commonSteps,
  commonStepsWithin,
  groupBySeed,
  paperTokensOf,
  shortName,
} from "../../arm_curves.ts";
import { LossReader, unread } from "../../rules/assessment.ts";
import { highestStep, startLoss } from "../../rules/own_start.ts";
import { ruleParts } from "../../rules/parts.ts";
import { listRuns } from "../../rules/words.ts";
import type { EstimatedNumber, MeasureKind } from "../measure_kind.ts";

const { run, runs, metric, tokens } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("stability-gap"),
  runs,
  /** an arm that is not re-warmed */
  control: run,
  metric,
  /** where the peak is looked for; the gap may last longer */
  within: tokens,
});

/** Depth and length of a stability gap. */
export type StabilityGap = z.output<typeof schema>;

/** Its fields, words and numbers. */
export const stabilityGap: MeasureKind<StabilityGap> = {
  schema,
  numbers: "for each run: depth (P_run − f) / f as in `peaks-above`; length in the paper's tokens until the first " +
    "evaluation after the peak at which the run is not above the control, or at least to the last one",
  runsOf: ({ runs, control }) => [...runs, control],
  describe: ({ runs, control, metric }) =>
    `depth and length of the stability gap of ${listRuns(runs)} in ${metric} loss, against ${shortName(control)}`,
  read(measure, context) {
    const reader = new LossReader();
    const { metric } = measure;
    const numbers = measure.runs.flatMap((name): EstimatedNumber[] => {
      const gaps = groupBySeed([name, measure.control], context.arms).map(({ arms }) => {
        const [run, control] = arms as [ArmCurves, ArmCurves];
        const early = commonStepsWithin(measure.within, arms, context);
        const peakAt = (arm: ArmCurves) => highestStep(arm, metric, early);
        const from = peakAt(run);
        const floor = Math.max(startLoss(run, metric, reader), reader.loss(control, metric, peakAt(control)));
        const later = commonSteps(arms).filter((step) => step > from);
        const closed = later.find((step) => unread(run, metric, step) <= unread(control, metric, step));
        return {
          depth: (reader.loss(run, metric, from) - floor) / floor,
          length: paperTokensOf(closed ?? later.at(-1) ?? from, context) / 1e9,
          isOpen: closed === undefined,
        };
      });
      return [
        { label: `depth of ${shortName(name)}`, unit: "share of loss", values: gaps.map(({ depth }) => depth) },
        {
          label: `length of ${shortName(name)}`,
          unit: "B tokens",
          values: gaps.map(({ length }) => length),
          ...(gaps.some(({ isOpen }) => isOpen) ? { isAtLeast: true } as const : {}),
        },
      ];
    });
    return { numbers, evidence: reader.evidence };
  },
};
