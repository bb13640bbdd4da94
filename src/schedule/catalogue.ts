/**
 * Every schedule that there is. A new one is a file in `kinds/`, a member of {@linkcode ScheduleSpecification} and an
 * entry of {@linkcode SCHEDULES}; all that knows single schedules follows from here.
 */
import type { z } from "zod";
import { constant, type ConstantSchedule } from "./kinds/constant.ts";
import { cosine, type CosineSchedule } from "./kinds/cosine.ts";
import { infinite, type InfiniteSchedule } from "./kinds/infinite.ts";
import { linear, type LinearSchedule } from "./kinds/linear.ts";
import { paper, type PaperSchedule } from "./kinds/paper.ts";
import { wsd, type WsdSchedule } from "./kinds/wsd.ts";
import type { Schedule } from "./schedule.ts";

/** What determines a learning-rate schedule; part of a run's content key. */
export type ScheduleSpecification =
  | PaperSchedule
  | CosineSchedule
  | LinearSchedule
  | ConstantSchedule
  | WsdSchedule
  | InfiniteSchedule;

/** Name of a schedule. */
export type ScheduleKind = ScheduleSpecification["kind"];

/** Schedules by their names, in the order in which messages and the documentation list them. */
export const SCHEDULES = { paper, cosine, linear, constant, wsd, infinite } satisfies {
  readonly [Kind in ScheduleKind]: Schedule<Extract<ScheduleSpecification, { readonly kind: Kind }>, z.ZodRawShape>;
};

/** Names of all schedules. */
export const SCHEDULE_KINDS = Object.keys(SCHEDULES) as [ScheduleKind, ...ScheduleKind[]];

/** The fields that a schedule adds to an experiment's arm. */
export type ScheduleParameters<Kind extends ScheduleKind> = typeof SCHEDULES[Kind]["parameters"];

/** What computes a schedule; the caller gives it only specifications of that kind. */
export function scheduleOf(kind: ScheduleKind): Schedule<ScheduleSpecification, z.ZodRawShape> {
  return SCHEDULES[kind];
}
