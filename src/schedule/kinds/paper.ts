/**
 * GPT-NeoX before August 2023: a cosine to zero over `totalSteps`, clamped at the minimum, with the last `warmupSteps`
 * steps standing still. This, not a cosine to the minimum, is the paper's schedule and Pythia's.
 *
 * @see arXiv 2308.04014 §2; gpt-neox v1.0 `megatron/learning_rates.py`; gpt-neox #1008
 */
import { cos } from "../../arithmetic/elementary.ts";
import type { Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** The paper's clamped cosine. */
type PaperSchedule = SpecificationOf<"paper">;

/** Its parameters, checks and rates. */
export const paper: Schedule<PaperSchedule> = {
  kind: "paper",
  words: "GPT-NeoX before August 2023, and so Pythia and the paper: " +
    "`max(lr_max/2 · (cos(π · n / T) + 1), lr_min)` with `n = min(t, T − w) − w`. It aims at zero and is clamped, " +
    "at 239B of 297B tokens",
  parameters: {},
  members: {},
  specify: (frame) => frame,
  rateAt({ totalSteps, warmupSteps, maxLearningRate, minLearningRate }, step) {
    const decaySteps = Math.min(step, totalSteps - warmupSteps) - warmupSteps;
    return Math.max(maxLearningRate / 2 * (cos(Math.PI * decaySteps / totalSteps) + 1), minLearningRate);
  },
};
