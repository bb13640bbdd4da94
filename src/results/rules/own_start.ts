/** A run against its own start, for the rules about what re-warming does. */
import { type ArmCurves, CannotRead } from "../arm_curves.ts";
import { type LossReader, unread } from "./assessment.ts";
import type { Metric } from "./parts.ts";

/**
 * Loss at step 0.
 *
 * @throws {CannotRead} if the curve begins later
 */
export function startLoss(arm: ArmCurves, metric: Metric, reader: LossReader): number {
  if (arm.curves.points[0]?.step !== 0) {
    throw new CannotRead(`the curve of "${arm.experiment}/${arm.arm}" does not begin at step 0`);
  }
  return reader.loss(arm, metric, 0);
}

/** Step among these at which a value is largest; the first of equals. */
export function largestAt(steps: readonly number[], value: (step: number) => number): number {
  let best = steps[0] ?? NaN;
  for (const step of steps) if (value(step) > value(best)) best = step;
  return best;
}

/** Step among these at which a loss is highest; the first of equals. What is passed over is no evidence. */
export function highestStep(arm: ArmCurves, metric: Metric, steps: readonly number[]): number {
  return largestAt(steps, (step) => unread(arm, metric, step));
}
