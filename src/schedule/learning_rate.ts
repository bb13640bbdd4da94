/**
 * Learning rates over optimizer steps. They are computed in f64 from + − × ÷ and the project's own cos and exp, and
 * rounded once to f32, so that every machine trains with the same bits.
 */
import { cos, exp, log } from "../arithmetic/elementary.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import type { ScheduleSpecification } from "./specification.ts";

/** Steepness α of the inverse-square-root cooldown, from the follow-up's configuration. */
const INVERSE_SQUARE_ROOT_TIMESCALE = 10;

/** Defaults of the optional fields of {@linkcode ScheduleSpecification}. */
export const SCHEDULE_DEFAULTS = {
  decayFraction: 0.1,
  cooldownFraction: 0.6,
  annealFraction: 0.85,
} as const;

/**
 * Checks that a specification makes sense.
 *
 * @throws {RangeError} naming the field, what it is and what it must be
 */
export function checkSchedule(specification: ScheduleSpecification): void {
  const { kind, totalSteps, warmupSteps, maxLearningRate, minLearningRate } = specification;
  const require = (holds: boolean, field: string, value: unknown, expected: string) => {
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
  if (kind === "constant") require(warmupSteps === 0, "warmupSteps", warmupSteps, "0, as a constant rate has none");
  if (kind === "wsd") {
    const { decayFraction = SCHEDULE_DEFAULTS.decayFraction } = specification;
    const room = 1 - warmupSteps / totalSteps;
    require(decayFraction >= 0 && decayFraction <= room, "decayFraction", decayFraction, `0 to ${room}`);
  }
  if (kind === "infinite") {
    const { constantLearningRate, cooldownFraction, annealFraction } = infiniteParts(specification);
    require(minLearningRate > 0, "minLearningRate", minLearningRate, "a positive number to anneal to");
    require(
      constantLearningRate >= minLearningRate && constantLearningRate <= maxLearningRate,
      "constantLearningRate",
      specification.constantLearningRate,
      `${minLearningRate} to ${maxLearningRate}`,
    );
    require(
      cooldownFraction * totalSteps >= warmupSteps && cooldownFraction <= annealFraction,
      "cooldownFraction",
      cooldownFraction,
      `${warmupSteps / totalSteps} to ${annealFraction}`,
    );
    require(annealFraction <= 1, "annealFraction", annealFraction, "at most 1");
  }
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
  if (kind === "constant") return maxLearningRate;
  if (step < warmupSteps) return maxLearningRate * step / warmupSteps;
  switch (kind) {
    case "paper":
      return clampedCosine(specification, step);
    case "cosine":
      return cosine(specification, step);
    case "linear":
      return linear(specification, step);
    case "wsd":
      return warmupStableDecay(specification, step);
    case "infinite":
      return infinite(specification, step);
  }
}

/**
 * GPT-NeoX before August 2023: a cosine to zero over `totalSteps`, clamped at the minimum, with the last
 * `warmupSteps` steps standing still. This, not a cosine to the minimum, is the paper's schedule and Pythia's.
 *
 * @see arXiv 2308.04014 §2; gpt-neox v1.0 `megatron/learning_rates.py`; gpt-neox #1008
 */
function clampedCosine(
  { totalSteps, warmupSteps, maxLearningRate, minLearningRate }: ScheduleSpecification,
  step: number,
): number {
  const decaySteps = Math.min(step, totalSteps - warmupSteps) - warmupSteps;
  return Math.max(maxLearningRate / 2 * (cos(Math.PI * decaySteps / totalSteps) + 1), minLearningRate);
}

/** GPT-NeoX since #1008, and the follow-up: a cosine that reaches the minimum at `totalSteps`. */
function cosine(
  { totalSteps, warmupSteps, maxLearningRate, minLearningRate }: ScheduleSpecification,
  step: number,
): number {
  if (step >= totalSteps) return minLearningRate;
  return cosineBetween(maxLearningRate, minLearningRate, (step - warmupSteps) / (totalSteps - warmupSteps));
}

/** A straight line from the maximum after the warm-up to the minimum at `totalSteps`. */
function linear(
  { totalSteps, warmupSteps, maxLearningRate, minLearningRate }: ScheduleSpecification,
  step: number,
): number {
  if (step >= totalSteps) return minLearningRate;
  const progress = (step - warmupSteps) / (totalSteps - warmupSteps);
  return maxLearningRate - (maxLearningRate - minLearningRate) * progress;
}

/** Warm-up, stable, decay: the maximum until the last `decayFraction` of the steps, then a line to the minimum. */
function warmupStableDecay(specification: ScheduleSpecification, step: number): number {
  const { totalSteps, maxLearningRate, minLearningRate } = specification;
  if (step >= totalSteps) return minLearningRate;
  const decaySteps = (specification.decayFraction ?? SCHEDULE_DEFAULTS.decayFraction) * totalSteps;
  const decayStart = totalSteps - decaySteps;
  if (step <= decayStart) return maxLearningRate;
  return maxLearningRate - (maxLearningRate - minLearningRate) * ((step - decayStart) / decaySteps);
}

/**
 * The follow-up's infinite schedule: a cooldown to a constant rate, the constant rate for as long as data keeps
 * coming, and an exponential annealing to the minimum. The inverse-square-root cooldown is h(x) = 1/√(1 + αx) − 1,
 * shifted and stretched to meet both ends, with α = 10.
 *
 * @see arXiv 2403.08763 §7.4
 */
function infinite(specification: ScheduleSpecification, step: number): number {
  const { totalSteps, warmupSteps, maxLearningRate, minLearningRate } = specification;
  const { constantLearningRate, cooldownFraction, annealFraction } = infiniteParts(specification);
  const cooldownEnd = cooldownFraction * totalSteps;
  const annealStart = annealFraction * totalSteps;
  if (step < cooldownEnd) {
    const progress = (step - warmupSteps) / (cooldownEnd - warmupSteps);
    if (specification.cooldown !== "inverse-square-root") {
      return cosineBetween(maxLearningRate, constantLearningRate, progress);
    }
    const drop = inverseSquareRootDrop(progress) / inverseSquareRootDrop(1);
    return maxLearningRate + (constantLearningRate - maxLearningRate) * drop;
  }
  if (step <= annealStart) return constantLearningRate;
  if (step >= totalSteps) return minLearningRate;
  const progress = (step - annealStart) / (totalSteps - annealStart);
  return constantLearningRate * exp(progress * log(minLearningRate / constantLearningRate));
}

/** Half a cosine from one rate to another; progress runs from 0 to 1. */
function cosineBetween(from: number, to: number, progress: number): number {
  return to + (from - to) / 2 * (cos(Math.PI * progress) + 1);
}

function inverseSquareRootDrop(progress: number): number {
  return 1 / Math.sqrt(1 + INVERSE_SQUARE_ROOT_TIMESCALE * progress) - 1;
}

function infiniteParts(specification: ScheduleSpecification) {
  return {
    constantLearningRate: specification.constantLearningRate ?? NaN,
    cooldownFraction: specification.cooldownFraction ?? SCHEDULE_DEFAULTS.cooldownFraction,
    annealFraction: specification.annealFraction ?? SCHEDULE_DEFAULTS.annealFraction,
  };
}
