/** One rate at every step, without a warm-up. */
import { z } from "zod";
import type { Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** The maximum at every step. */
type ConstantSchedule = SpecificationOf<"constant">;

const parameters = {
  warmupPercent: z.number().refine((percent) => percent === 0, { error: "0, as a constant rate has no warm-up" }),
};

/** Its parameters, checks and rates. */
export const constant: Schedule<ConstantSchedule, typeof parameters> = {
  kind: "constant",
  words: "the maximum at every step, without warm-up; a constant minimum is a maximum of that value",
  parameters,
  members: {},
  specify: (frame) => ({ ...frame, minLearningRate: frame.maxLearningRate }),
  check({ warmupSteps }, require) {
    require(warmupSteps === 0, "warmupSteps", warmupSteps, "0, as a constant rate has none");
  },
  rateAt: ({ maxLearningRate }) => maxLearningRate,
};
