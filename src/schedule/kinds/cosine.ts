/** GPT-NeoX since #1008, and the follow-up: a cosine that reaches the minimum at `totalSteps`. */
import { cosineBetween } from "../cosine_between.ts";
import type { Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** A cosine from the maximum to the minimum. */
type CosineSchedule = SpecificationOf<"cosine">;

/** Its parameters, checks and rates. */
export const cosine: Schedule<CosineSchedule> = {
  kind: "cosine",
  words: "GPT-NeoX since then: `lr_min + (lr_max − lr_min)/2 · (cos(π(t − w)/(T − w)) + 1)`",
  parameters: {},
  members: {},
  specify: (frame) => frame,
  rateAt({ totalSteps, warmupSteps, maxLearningRate, minLearningRate }, step) {
    if (step >= totalSteps) return minLearningRate;
    return cosineBetween(maxLearningRate, minLearningRate, (step - warmupSteps) / (totalSteps - warmupSteps));
  },
};
