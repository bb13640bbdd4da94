/**
 * Learning rates over optimizer steps. They are computed in f64 from + − × ÷ and the project's own cos and exp, and
 * rounded once to f32, so that every machine trains with the same bits.
 */
import { type Digest, sha256 } from "../digest/sha256.ts";
import { scheduleOf, type ScheduleSpecification } from "./catalogue.ts";
import type { Require } from "./schedule.ts";

/**
 * Checks that a specification makes sense.
 *
 * @throws {RangeError} naming the field, what it is and what it must be
 */
export function checkSchedule(specification: ScheduleSpecification): void {
  const { kind, totalSteps, warmupSteps, maxLearningRate, minLearningRate } = specification;
  const require: Require = (holds, field, value, expected) => {
    if (!holds) throw new RangeError(`${field} of schedule "${kind}" is ${value}, expected ${expected}`);
  };
  require(Number.isSafeInteger(totalSteps) && totalSteps > 0, "totalSteps", totalSteps, "a positive whole number");
  require(warmupSteps >= 0 && warmupSteps <= totalSteps, "warmupSteps", warmupSteps, `0 to ${totalSteps}`);
  require(maxLearningRate > 0 && maxLearningRate < Infinity, "maxLearningRate", maxLearningRate, "a positive number");
  require(
    minLearningRate >= 0 && minLearningRate <= maxLearningRate,
    "minLearningRate",
    minLearningRate,
    `0 to ${maxLearningRate}`,
  );
  scheduleOf(kind).check?.(specification, require);
}

/**
 * Learning rate of an optimizer step.
 *
 * @param step optimizer step, from 0; with a warm-up the rate at step 0 is exactly 0. Beyond `totalSteps` the rate
 * stays where the schedule ends.
 * @returns the rate in f64, not yet rounded to f32
 * @throws {RangeError} if the specification is inconsistent or the step negative
 */
export function learningRate(specification: ScheduleSpecification, step: number): number {
  checkSchedule(specification);
  if (!(step >= 0)) throw new RangeError(`Step is ${step}, expected a number of at least 0`);
  return rateAt(specification, step);
}

/**
 * Learning rates of steps 0 to `totalSteps` − 1, each rounded once to f32: what training uses.
 *
 * @throws {RangeError} if the specification is inconsistent
 */
export function learningRateTable(specification: ScheduleSpecification): Float32Array {
  checkSchedule(specification);
  const table = new Float32Array(specification.totalSteps);
  for (let step = 0; step < table.length; step++) table[step] = rateAt(specification, step);
  return table;
}

/** SHA-256 of {@linkcode learningRateTable} as little-endian f32. */
export function scheduleDigest(specification: ScheduleSpecification): Digest {
  const table = learningRateTable(specification);
  const bytes = new DataView(new ArrayBuffer(table.byteLength));
  table.forEach((rate, step) => bytes.setFloat32(4 * step, rate, true));
  return sha256(new Uint8Array(bytes.buffer));
}

function rateAt(specification: ScheduleSpecification, step: number): number {
  const { kind, warmupSteps, maxLearningRate } = specification;
  if (step < warmupSteps) return maxLearningRate * step / warmupSteps;
  return scheduleOf(kind).rateAt(specification, step);
}
