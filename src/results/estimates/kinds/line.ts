/**
 * Losses at points on the line from the start of a run to its end: what of its forgetting they do without, what they cost,
 * and how high the loss rises over the chord between both ends.
 *
 * @see arXiv 2109.01903 (weights between two models); arXiv 1912.05671 (the barrier)
 */
import { z } from "zod";
import { evaluationAt, groupBySeed, shortName } from "../../arm_curves.ts";
import { LossReader } from "../../rules/assessment.ts";
import { ruleParts } from "../../rules/parts.ts";
import { listRuns } from "../../rules/words.ts";
import type { EstimatedNumber, MeasureKind } from "../measure_kind.ts";

const { run } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("line"),
  /** the run whose start and end are the ends of the line */
  run,
  /** arms of no steps by how far along the line they are, ascending */
  points: z.array(z.strictObject({ fraction: z.number().gt(0).lt(1), run })).min(1).max(32),
});

/** Points on the line between two models. */
export type Line = z.output<typeof schema>;

/** Losses of both metrics at one place. */
interface Place {
  readonly fraction: number;
  readonly upstream: number;
  readonly downstream: number;
}

/** Its fields, words and numbers. */
export const line: MeasureKind<Line> = {
  schema,
  numbers:
    "for each point: removed (upstream L_end − L_point) / (upstream L_end − L_start); cost (downstream L_point − " +
    "L_end) / downstream L_end; for each metric the barrier: largest over the points of (L_point − chord) / chord, where " +
    "the chord is L_start + fraction · (L_end − L_start)",
  runsOf: ({ run, points }) => [run, ...points.map(({ run }) => run)],
  describe: ({ run, points }) =>
    `losses on the line from the start of ${shortName(run)} to its end, at ${listRuns(points.map(({ run }) => run))}`,
  read(measure, context) {
    const reader = new LossReader();
    const bySeed = groupBySeed(line.runsOf(measure), context.arms).map(({ arms: [end, ...points] }) => {
      const place = (arm: typeof end, fraction: number, step: number): Place => {
        if (arm === undefined) throw new Error("A point has no arm");
        const losses = {
          upstream: reader.loss(arm, "upstream", step),
          downstream: reader.loss(arm, "downstream", step),
        };
        return { fraction, ...losses };
      };
      const last = end?.steps ?? 0;
      if (end !== undefined) evaluationAt(end, last);
      return {
        start: place(end, 0, 0),
        end: place(end, 1, last),
        points: measure.points.map(({ fraction }, i) => place(points[i], fraction, 0)),
      };
    });
    const ofPoints = measure.points.flatMap(({ run }, i): EstimatedNumber[] => [
      {
        label: `removed at ${shortName(run)}`,
        unit: "share",
        values: bySeed.map(({ start, end, points }) =>
          (end.upstream - (points[i]?.upstream ?? NaN)) / (end.upstream - start.upstream)
        ),
      },
      {
        label: `cost at ${shortName(run)}`,
        unit: "share of loss",
        values: bySeed.map(({ end, points }) => ((points[i]?.downstream ?? NaN) - end.downstream) / end.downstream),
      },
    ]);
    const barriers = (["upstream", "downstream"] as const).map((metric): EstimatedNumber => ({
      label: `${metric} barrier`,
      unit: "share of loss",
      values: bySeed.map(({ start, end, points }) =>
        Math.max(...points.map((point) => {
          const chord = start[metric] + point.fraction * (end[metric] - start[metric]);
          return (point[metric] - chord) / chord;
        }))
      ),
    }));
    return { numbers: [...ofPoints, ...barriers], evidence: reader.evidence };
  },
};
