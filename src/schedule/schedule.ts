/** What every schedule implements: its parameters, its checks and its computation, in one file of `kinds/`. */
import { z } from "zod";

/** What every schedule has, over `totalSteps` optimizer steps and with rates in the optimizer's own unit. */
export interface ScheduleFrame<Kind extends string = string> {
  /** shape of the curve */
  readonly kind: Kind;
  /** horizon T of the schedule in steps; a run may stop earlier */
  readonly totalSteps: number;
  /** length of the linear warm-up in steps; fractional, as GPT-NeoX has it */
  readonly warmupSteps: number;
  /** rate at the end of the warm-up, or the constant rate */
  readonly maxLearningRate: number;
  /** rate that decay does not go below */
  readonly minLearningRate: number;
}

/** Throws a `RangeError` that names a field, its value and what was expected, unless the condition holds. */
export type Require = (holds: boolean, field: string, value: unknown, expected: string) => void;

/** A kind of schedule: `Specification` is what a run's key holds of it. */
export interface Schedule<
  Specification extends ScheduleFrame,
  Parameters extends z.ZodRawShape = Record<never, never>,
> {
  /** its name in experiments, plans and manifests */
  readonly kind: Specification["kind"];
  /** what the rate does after the warm-up, in Markdown, for the documentation and for editors */
  readonly words: string;
  /** fields of an experiment's arm that only this schedule has, or that it narrows, in the paper's units */
  readonly parameters: Parameters;
  /** members of its own in a specification */
  readonly members: z.ZodRawShape;
  /**
   * The schedule at a scale. Parameters with their default value stay out of the specification, so that a new parameter
   * leaves the keys of earlier runs as they are.
   *
   * @param arm holds at least `parameters`
   * @param ownMaxLearningRate the model's own maximum, of which an arm names multiples
   */
  specify(
    frame: ScheduleFrame<Specification["kind"]>,
    arm: z.output<z.ZodObject<Parameters>>,
    ownMaxLearningRate: number,
  ): Specification;
  /** Checks what the frame's own checks leave open. */
  check?(specification: Specification, require: Require): void;
  /** Rate in f64 of a step at or after the end of the warm-up. */
  rateAt(specification: Specification, step: number): number;
}

/** A share of the whole horizon. */
export const fraction = z.number().min(0).max(1);

/** A learning rate in the optimizer's own unit. */
export const rate = z.number().min(0).max(1e6);

/** The values that differ from their defaults, in the order of the defaults. */
export function changedFrom<Values extends object>(defaults: Values, values: Values): Partial<Values> {
  const names = Object.keys(defaults) as (keyof Values)[];
  return Object.fromEntries(
    names.filter((name) => values[name] !== defaults[name]).map((name) => [name, values[name]]),
  ) as Partial<Values>;
}
