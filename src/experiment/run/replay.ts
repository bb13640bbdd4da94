/** Replay: windows of the upstream corpus in place of some of those that a run trains on. */
import { z } from "zod";

/**
 * What of a run's windows is replayed. Every step has as many windows as without replay; the corpus trained on keeps its
 * order, and so does the upstream corpus, whose order has the run's own seed too (src/data/mixture.ts).
 */
export interface ReplaySpecification {
  /** share of the windows that are upstream's, percent */
  readonly percent: number;
  /** the share begins with another one and comes to `percent` along a line; absent: it is the same from the first step on */
  readonly from?: {
    /** share of the windows at the first step, percent */
    readonly percent: number;
    /** optimizer steps until the share that stays is reached; fractional */
    readonly steps: number;
  };
}

const percent = z.number().gt(0).lt(100);

/** What may stand for replay in a plan or a manifest. */
export const replaySchema: z.ZodType<ReplaySpecification> = z.strictObject({
  percent,
  from: z.strictObject({ percent, steps: z.number().positive() }).optional(),
});

/** What an arm of an experiment states. */
export const armReplaySchema = z.strictObject({
  percent: percent.describe("share of the windows that come from the upstream corpus, percent"),
  from: z.strictObject({
    percent: percent.describe("share at the first step, percent"),
    untilPercent: z.number().gt(0).max(100).describe("percent of the whole horizon after which the share stays"),
  }).optional().describe("a mixture that begins with another share and comes to `percent` along a line"),
});

/** {@linkcode ReplaySpecification} in an arm's units. */
export type ArmReplay = Readonly<z.output<typeof armReplaySchema>>;

/**
 * An arm's replay at a scale.
 *
 * @param totalSteps steps of the schedule's whole horizon
 */
export function replayOf({ percent, from }: ArmReplay, totalSteps: number): ReplaySpecification {
  if (from === undefined) return { percent };
  return { percent, from: { percent: from.percent, steps: totalSteps * from.untilPercent / 100 } };
}

/** In words: `5 % replay`, `replay from 50 to 5 % over 210 steps`. */
export function replayInWords({ percent, from }: ReplaySpecification): string {
  return from === undefined
    ? `${percent} % replay`
    : `replay from ${from.percent} to ${percent} % over ${from.steps} steps`;
}
