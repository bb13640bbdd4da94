/** What may stand for a schedule in a plan or a manifest. */
import { z } from "zod";
import { SCHEDULE_KINDS, scheduleOf, type ScheduleSpecification } from "./catalogue.ts";
import { rate } from "./schedule.ts";

export { SCHEDULE_KINDS, type ScheduleKind, type ScheduleSpecification } from "./catalogue.ts";

/**
 * Schedules longer than this are refused before their table is computed; the paper's has 131,296 steps, and sixteen times
 * Pythia's pre-training 2,288,000.
 */
export const MAX_STEPS = 2_500_000;

const frame = {
  totalSteps: z.int().min(1).max(MAX_STEPS),
  warmupSteps: z.number().min(0),
  maxLearningRate: rate,
  minLearningRate: rate,
};

const [first, ...others] = SCHEDULE_KINDS;

const specificationOf = (kind: typeof first) =>
  z.strictObject({ kind: z.literal(kind), ...frame, ...scheduleOf(kind).members });

/** Shape of a schedule's specification; whether its numbers fit each other is for `checkSchedule` to say. */
export const scheduleSchema = z.discriminatedUnion("kind", [
  specificationOf(first),
  ...others.map(specificationOf),
]) as unknown as z.ZodType<ScheduleSpecification>;
