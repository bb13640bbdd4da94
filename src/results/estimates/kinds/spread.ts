/** How far runs that should be alike lie apart: their standard deviation. */
import { z } from "zod";
import { ruleParts } from "../../rules/parts.ts";
import { atPoint, listRuns } from "../../rules/words.ts";
import { mean, standardDeviation } from "../../statistics/summary.ts";
import { PointReader } from "../loss_reader.ts";
import type { MeasureKind } from "../measure_kind.ts";

const { severalRuns, metric, point } = ruleParts;

const schema = z.strictObject({ kind: z.literal("spread"), runs: severalRuns, metric, at: point });

/** A spread of runs. */
export type Spread = z.output<typeof schema>;

/** Its fields, words and numbers. */
export const spread: MeasureKind<Spread> = {
  schema,
  numbers: "standard deviation of the runs' L ÷ their mean",
  runsOf: ({ runs }) => [...runs],
  describe: ({ runs, metric, at }) => `standard deviation of the ${metric} loss of ${listRuns(runs)} ${atPoint(at)}`,
  read(measure, context) {
    const reader = new PointReader(measure.runs, measure.at, context);
    const losses = measure.runs.map((run) => reader.read(run, measure.metric).map(({ point }) => point));
    const values = (losses[0] ?? []).map((_, seed) => {
      const all = losses.map((bySeed) => bySeed[seed] ?? NaN);
      return standardDeviation(all) / mean(all);
    });
    return {
      numbers: [{ label: `spread of ${measure.runs.length} runs`, unit: "share of loss", values }],
      evidence: reader.losses.evidence,
    };
  },
};
