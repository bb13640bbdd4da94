/**
 * The follow-up's infinite schedule: a cooldown to a constant rate, the constant rate for as long as data keeps coming,
 * and an exponential annealing to the minimum. The inverse-square-root cooldown is h(x) = 1/√(1 + αx) − 1, shifted and
 * stretched to meet both ends, with α = 10.
 *
 * @see arXiv 2403.08763 §7.4
 */
import { z } from "zod";
import { exp, log } from "../../arithmetic/elementary.ts";
import { cosineBetween } from "../cosine_between.ts";
import { changedFrom, fraction, rate, type Schedule } from "../schedule.ts";
import type { SpecificationOf } from "../catalogue.ts";

/** Shape of the cooldown. */
type Cooldown = "cosine" | "inverse-square-root";

/** A cooldown to a constant rate, and an annealing at the end. */
type InfiniteSchedule = SpecificationOf<"infinite">;

/** Steepness α of the inverse-square-root cooldown, from the follow-up's configuration. */
const INVERSE_SQUARE_ROOT_TIMESCALE = 10;

const DEFAULTS = { cooldownFraction: 0.6, cooldown: "cosine" as Cooldown, annealFraction: 0.85 };

const cooldown = z.enum(["cosine", "inverse-square-root"]);

const parameters = {
  constantLearningRate: z.number({ error: "a multiple of the model's own maximum learning rate" }).positive().max(100)
    .describe("the constant rate, as a multiple of the model's own maximum learning rate"),
  cooldownFraction: fraction.default(DEFAULTS.cooldownFraction)
    .describe("share of the whole horizon after which the rate is constant"),
  cooldown: cooldown.default(DEFAULTS.cooldown).describe("shape of the way to the constant rate"),
  annealFraction: fraction.default(DEFAULTS.annealFraction)
    .describe("share of the whole horizon after which the rate falls to the minimum"),
};

/** Its parameters, checks and rates. */
export const infinite: Schedule<InfiniteSchedule, typeof parameters> = {
  kind: "infinite",
  words:
    "the follow-up's: a cooldown (`cooldown`: cosine, or inverse-square-root `1/√(1 + 10x) − 1` stretched between " +
    "its ends) to `constantLearningRate` at `cooldownFraction` (0.6 unless set) of T, that rate to `annealFraction` " +
    "(0.85 unless set), then an exponential annealing to the minimum, `c · (min/c)^x`",
  parameters,
  members: {
    cooldownFraction: fraction.optional(),
    cooldown: cooldown.optional(),
    constantLearningRate: rate,
    annealFraction: fraction.optional(),
  },
  specify: (frame, { constantLearningRate, cooldownFraction, cooldown, annealFraction }, ownMaxLearningRate) => ({
    ...frame,
    constantLearningRate: ownMaxLearningRate * constantLearningRate,
    ...changedFrom(DEFAULTS, { cooldownFraction, cooldown, annealFraction }),
  }),
  check(specification, require) {
    const { totalSteps, warmupSteps, maxLearningRate, minLearningRate, constantLearningRate } = specification;
    const { cooldownFraction = DEFAULTS.cooldownFraction, annealFraction = DEFAULTS.annealFraction } = specification;
    require(minLearningRate > 0, "minLearningRate", minLearningRate, "a positive number to anneal to");
    require(
      constantLearningRate >= minLearningRate && constantLearningRate <= maxLearningRate,
      "constantLearningRate",
      constantLearningRate,
      `${minLearningRate} to ${maxLearningRate}`,
    );
    require(
      cooldownFraction * totalSteps >= warmupSteps && cooldownFraction <= annealFraction,
      "cooldownFraction",
      cooldownFraction,
      `${warmupSteps / totalSteps} to ${annealFraction}`,
    );
    require(annealFraction <= 1, "annealFraction", annealFraction, "at most 1");
  },
  rateAt(specification, step) {
    const { totalSteps, warmupSteps, maxLearningRate, minLearningRate, constantLearningRate } = specification;
    const { cooldownFraction = DEFAULTS.cooldownFraction, annealFraction = DEFAULTS.annealFraction } = specification;
    const cooldownEnd = cooldownFraction * totalSteps;
    const annealStart = annealFraction * totalSteps;
    if (step < cooldownEnd) {
      const progress = (step - warmupSteps) / (cooldownEnd - warmupSteps);
      if (specification.cooldown !== "inverse-square-root") {
        return cosineBetween(maxLearningRate, constantLearningRate, progress);
      }
      const drop = inverseSquareRootDrop(progress) / inverseSquareRootDrop(1);
      return maxLearningRate + (constantLearningRate - maxLearningRate) * drop;
    }
    if (step <= annealStart) return constantLearningRate;
    if (step >= totalSteps) return minLearningRate;
    const progress = (step - annealStart) / (totalSteps - annealStart);
    return constantLearningRate * exp(progress * log(minLearningRate / constantLearningRate));
  },
};

function inverseSquareRootDrop(progress: number): number {
  return 1 / Math.sqrt(1 + INVERSE_SQUARE_ROOT_TIMESCALE * progress) - 1;
}
