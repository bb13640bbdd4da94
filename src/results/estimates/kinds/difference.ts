/** How far runs are from a reference at a point. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import { ruleParts } from "../../rules/parts.ts";
import { atPoint, listRuns } from "../../rules/words.ts";
import { PointReader } from "../loss_reader.ts";
import type { EstimatedNumber, MeasureKind } from "../measure_kind.ts";

const { run, runs, metric, point } = ruleParts;

const schema = z.strictObject({ kind: z.literal("difference"), runs, reference: run, metric, at: point });

/** Differences from a reference. */
export type Difference = z.output<typeof schema>;

/** Its fields, words and numbers. */
export const difference: MeasureKind<Difference> = {
  schema,
  numbers: "for each run: (L_run − L_reference) / L_reference",
  runsOf: ({ runs, reference }) => [...runs, reference],
  describe: ({ runs, reference, metric, at }) =>
    `difference of the ${metric} loss of ${listRuns(runs)} from that of ${shortName(reference)} ${atPoint(at)}`,
  read(measure, context) {
    const reader = new PointReader(difference.runsOf(measure), measure.at, context);
    const reference = reader.read(measure.reference, measure.metric);
    const numbers = measure.runs.map((run): EstimatedNumber => ({
      label: `${shortName(run)} over ${shortName(measure.reference)}`,
      unit: "share of loss",
      values: reader.read(run, measure.metric).map(({ point }, seed) => {
        const other = reference[seed]?.point ?? NaN;
        return (point - other) / other;
      }),
    }));
    return { numbers, evidence: reader.losses.evidence };
  },
};
