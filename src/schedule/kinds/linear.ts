/** A straight line from the maximum after the warm-up to the minimum at `totalSteps`. */
import type { Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** A line from the maximum to the minimum. */
type LinearSchedule = SpecificationOf<"linear">;

/** Its parameters, checks and rates. */
export const linear: Schedule<LinearSchedule> = {
  kind: "linear",
  words: "a line to the minimum at T",
  parameters: {},
  members: {},
  specify: (frame) => frame,
  rateAt({ totalSteps, warmupSteps, maxLearningRate, minLearningRate }, step) {
    if (step >= totalSteps) return minLearningRate;
    const progress = (step - warmupSteps) / (totalSteps - warmupSteps);
    return maxLearningRate - (maxLearningRate - minLearningRate) * progress;
  },
};
