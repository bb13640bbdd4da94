/** What a means against forgetting removes of it, and what it costs downstream. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import { ruleParts } from "../../rules/parts.ts";
import { atPoint, listRuns } from "../../rules/words.ts";
import { PointReader } from "../loss_reader.ts";
import type { EstimatedNumber, MeasureKind } from "../measure_kind.ts";

const { run, runs, point } = ruleParts;

const schema = z.strictObject({ kind: z.literal("forgetting-removed"), runs, baseline: run, at: point });

/** The share of forgetting removed, and its cost. */
export type ForgettingRemoved = z.output<typeof schema>;

/** Its fields, words and numbers. */
export const forgettingRemoved: MeasureKind<ForgettingRemoved> = {
  schema,
  numbers:
    "for each run: removed (F_baseline − F_run) / F_baseline, where F is upstream L at the point − upstream L at " +
    "step 0; cost (downstream L_run − downstream L_baseline) / downstream L_baseline",
  runsOf: ({ runs, baseline }) => [...runs, baseline],
  describe: ({ runs, baseline, at }) =>
    `share of the forgetting of ${shortName(baseline)} that ${
      listRuns(runs)
    } remove, and the cost in downstream loss, ` +
    atPoint(at),
  read(measure, context) {
    const reader = new PointReader(forgettingRemoved.runsOf(measure), measure.at, context);
    const forgotten = (run: string) => reader.read(run, "upstream").map(({ start, point }) => point - start);
    const base = { forgotten: forgotten(measure.baseline), downstream: reader.read(measure.baseline, "downstream") };
    const numbers = measure.runs.flatMap((run): EstimatedNumber[] => [
      {
        label: `removed by ${shortName(run)}`,
        unit: "share",
        values: forgotten(run).map((value, seed) => {
          const all = base.forgotten[seed] ?? NaN;
          return (all - value) / all;
        }),
      },
      {
        label: `cost of ${shortName(run)}`,
        unit: "share of loss",
        values: reader.read(run, "downstream").map(({ point }, seed) => {
          const other = base.downstream[seed]?.point ?? NaN;
          return (point - other) / other;
        }),
      },
    ]);
    return { numbers, evidence: reader.losses.evidence };
  },
};
