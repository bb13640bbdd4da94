/** The area of the frontier of forgetting against adaptation that some runs span, over the corner of all that is compared. */
import { z } from "zod";
import { shortName } from "../../arm_curves.ts";
import { ruleParts } from "../../rules/parts.ts";
import { atPoint } from "../../rules/words.ts";
import { PointReader } from "../loss_reader.ts";
import type { MeasureKind } from "../measure_kind.ts";

const { severalRuns, point } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("frontier"),
  /** sets of runs by their names; all sets together give the corner */
  sets: z.record(z.string().min(1).max(40), severalRuns).refine((sets) => Object.keys(sets).length <= 8, {
    error: "at most 8 sets",
  }),
  at: point,
});

/** Areas of frontiers. */
export type Frontier = z.output<typeof schema>;

/** A run's place: more of either is better. */
interface Place {
  readonly kept: number;
  readonly learned: number;
}

/** Its fields, words and numbers. */
export const frontier: MeasureKind<Frontier> = {
  schema,
  numbers:
    "for each set: area between the frontier of its runs and the worst corner of all sets, over kept = −(upstream " +
    "L at the point − L at step 0) / L at step 0 and learned = (downstream L at step 0 − L at the point) / L at step 0",
  runsOf: ({ sets }) => [...new Set(Object.values(sets).flat())],
  describe: ({ sets, at }) =>
    `area of the frontier of forgetting against adaptation ${atPoint(at)}: ` +
    Object.entries(sets).map(([name, runs]) => `${name} (${runs.map(shortName).join(", ")})`).join("; "),
  read(measure, context) {
    const runs = frontier.runsOf(measure);
    const reader = new PointReader(runs, measure.at, context);
    const changes = (run: string, metric: "upstream" | "downstream") =>
      reader.read(run, metric).map(({ start, point }) => (start - point) / start);
    const places = new Map(runs.map((run) => {
      const kept = changes(run, "upstream"), learned = changes(run, "downstream");
      return [run, kept.map((value, seed): Place => ({ kept: value, learned: learned[seed] ?? NaN }))] as const;
    }));
    const seeds = places.get(runs[0] ?? "")?.map((_, seed) => seed) ?? [];
    const at = (run: string, seed: number) => places.get(run)?.[seed] ?? { kept: NaN, learned: NaN };
    const corners = seeds.map((seed): Place => ({
      kept: Math.min(...runs.map((run) => at(run, seed).kept)),
      learned: Math.min(...runs.map((run) => at(run, seed).learned)),
    }));
    return {
      numbers: Object.entries(measure.sets).map(([name, members]) => ({
        label: name,
        unit: "squared share of loss",
        values: seeds.map((seed) => dominatedArea(members.map((run) => at(run, seed)), corners[seed] ?? at("", 0))),
      })),
      evidence: reader.losses.evidence,
    };
  },
};

/** Area that at least one place dominates, down to the corner. */
export function dominatedArea(places: readonly Place[], corner: Place): number {
  const sorted = [...places].sort((a, b) => b.kept - a.kept || b.learned - a.learned);
  let area = 0;
  let reached = corner.learned;
  for (const { kept, learned } of sorted) {
    if (!(learned > reached)) continue;
    area += (kept - corner.kept) * (learned - reached);
    reached = learned;
  }
  return area;
}
