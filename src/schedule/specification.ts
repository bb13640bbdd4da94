/** What determines a learning-rate schedule; part of a run's content key. */

/** The schedules rewarm knows, by the names of the field. */
export type ScheduleKind = "paper" | "cosine" | "linear" | "constant" | "wsd" | "infinite";

/** Names of all schedules, for validation and messages. */
export const SCHEDULE_KINDS: readonly ScheduleKind[] = [
  "paper",
  "cosine",
  "linear",
  "constant",
  "wsd",
  "infinite",
];

/** A schedule over `totalSteps` optimizer steps, rates in the optimizer's own unit. */
export interface ScheduleSpecification {
  /** shape of the curve */
  readonly kind: ScheduleKind;
  /** horizon T of the schedule in steps; a run may stop earlier */
  readonly totalSteps: number;
  /** length of the linear warm-up in steps; fractional, as GPT-NeoX has it */
  readonly warmupSteps: number;
  /** rate at the end of the warm-up, or the constant rate */
  readonly maxLearningRate: number;
  /** rate that decay does not go below */
  readonly minLearningRate: number;
  /** `wsd`: share of `totalSteps` at the end in which the rate decays linearly to the minimum; default 0.1 */
  readonly decayFraction?: number;
  /** `infinite`: share of `totalSteps` after which the cooldown reaches `constantLearningRate`; default 0.6 */
  readonly cooldownFraction?: number;
  /** `infinite`: shape of the cooldown; default `"cosine"` */
  readonly cooldown?: "cosine" | "inverse-square-root";
  /** `infinite`: the constant rate between cooldown and annealing */
  readonly constantLearningRate?: number;
  /** `infinite`: share of `totalSteps` at which the exponential annealing to the minimum starts; default 0.85 */
  readonly annealFraction?: number;
}
