/**
 * Every schedule that there is. A new one is a file in `kinds/`, a member of {@linkcode ScheduleSpecification} and an
 * entry of {@linkcode SCHEDULES}; all that knows single schedules follows from here.
 */
import type { z } from "zod";
import { constant } from "./kinds/constant.ts";
import { cosine } from "./kinds/cosine.ts";
import { infinite } from "./kinds/infinite.ts";
import { linear } from "./kinds/linear.ts";
import { paper } from "./kinds/paper.ts";
import { wsd } from "./kinds/wsd.ts";
import type { Schedule, ScheduleFrame } from "./schedule.ts";

/** What determines a learning-rate schedule; part of a run's content key. */
export type ScheduleSpecification =
  | ScheduleFrame<"paper">
  | ScheduleFrame<"cosine">
  | ScheduleFrame<"linear">
  | ScheduleFrame<"constant">
  | (ScheduleFrame<"wsd"> & {
    /** share of `totalSteps` at the end in which the rate decays linearly to the minimum; default 0.1 */
    readonly decayFraction?: number;
  })
  | (ScheduleFrame<"infinite"> & {
    /** share of `totalSteps` after which the cooldown reaches `constantLearningRate`; default 0.6 */
    readonly cooldownFraction?: number;
    /** shape of the cooldown; default `"cosine"` */
    readonly cooldown?: "cosine" | "inverse-square-root";
    /** the constant rate between cooldown and annealing */
    readonly constantLearningRate: number;
    /** share of `totalSteps` at which the exponential annealing to the minimum starts; default 0.85 */
    readonly annealFraction?: number;
  });

/** The specification of one kind of schedule. */
export type SpecificationOf<Kind extends ScheduleKind> = Extract<ScheduleSpecification, { readonly kind: Kind }>;

/** Name of a schedule. */
export type ScheduleKind = ScheduleSpecification["kind"];

/** Schedules by their names, in the order in which messages and the documentation list them. */
export const SCHEDULES = { paper, cosine, linear, constant, wsd, infinite } satisfies {
  readonly [Kind in ScheduleKind]: Schedule<SpecificationOf<Kind>, z.ZodRawShape>;
};

/** Names of all schedules. */
export const SCHEDULE_KINDS = Object.keys(SCHEDULES) as [ScheduleKind, ...ScheduleKind[]];

/** The fields that a schedule adds to an experiment's arm. */
export type ScheduleParameters<Kind extends ScheduleKind> = typeof SCHEDULES[Kind]["parameters"];

/** What computes a schedule; the caller gives it only specifications of that kind. */
export function scheduleOf(kind: ScheduleKind): Schedule<ScheduleSpecification, z.ZodRawShape> {
  return SCHEDULES[kind];
}
