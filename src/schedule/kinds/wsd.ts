/** Warm-up, stable, decay: the maximum until the last `decayFraction` of the steps, then a line to the minimum. */
import { changedFrom, fraction, type Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** Warm-up, stable, decay. */
type WsdSchedule = SpecificationOf<"wsd">;

const DEFAULTS = { decayFraction: 0.1 };

const parameters = {
  decayFraction: fraction.default(DEFAULTS.decayFraction)
    .describe("share of the whole horizon at its end in which the rate falls to the minimum"),
};

/** Its parameters, checks and rates. */
export const wsd: Schedule<WsdSchedule, typeof parameters> = {
  kind: "wsd",
  words: "the maximum until the last `decayFraction` (0.1 unless set) of T, then a line to the minimum",
  parameters,
  members: { decayFraction: fraction.optional() },
  specify: (frame, { decayFraction }) => ({ ...frame, ...changedFrom(DEFAULTS, { decayFraction }) }),
  check({ totalSteps, warmupSteps, decayFraction = DEFAULTS.decayFraction }, require) {
    const room = 1 - warmupSteps / totalSteps;
    require(decayFraction >= 0 && decayFraction <= room, "decayFraction", decayFraction, `0 to ${room}`);
  },
  rateAt({ totalSteps, maxLearningRate, minLearningRate, decayFraction = DEFAULTS.decayFraction }, step) {
    if (step >= totalSteps) return minLearningRate;
    const decaySteps = decayFraction * totalSteps;
    const decayStart = totalSteps - decaySteps;
    if (step <= decayStart) return maxLearningRate;
    return maxLearningRate - (maxLearningRate - minLearningRate) * ((step - decayStart) / decaySteps);
  },
};
