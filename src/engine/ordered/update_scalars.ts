/** The scalars of an AdamW update: computed in doubles, rounded once to f32. */
import type { OptimizerSpecification } from "../../experiment/run/run.ts";

/** What every element's update shares; all f32. */
export interface UpdateScalars {
  readonly clip: number;
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  /** learning rate over 1 − β1^t */
  readonly stepSize: number;
  /** √(1 − β2^t) */
  readonly rootCorrection2: number;
  readonly epsilon: number;
  /** 1 − learning rate · weight decay */
  readonly decay: number;
}

/** base^exponent by squaring: only multiplications, in an order that the exponent fixes. */
function integerPower(base: number, exponent: number): number {
  let result = 1;
  for (let factor = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/**
 * Clip factor, bias corrections and rates of one step.
 *
 * @param step optimizer steps done before this one; t = step + 1
 * @param gradientNorm f32
 */
export function updateScalars(
  { beta1, beta2, epsilon, weightDecay, gradientClip }: OptimizerSpecification,
  learningRate: number,
  step: number,
  gradientNorm: number,
): UpdateScalars {
  const t = step + 1;
  const clip = Math.fround(gradientClip / Math.fround(gradientNorm + Math.fround(1e-6)));
  return {
    clip: Math.min(1, clip),
    beta1: Math.fround(beta1),
    oneMinusBeta1: Math.fround(1 - beta1),
    beta2: Math.fround(beta2),
    oneMinusBeta2: Math.fround(1 - beta2),
    stepSize: Math.fround(learningRate / (1 - integerPower(beta1, t))),
    rootCorrection2: Math.fround(Math.sqrt(1 - integerPower(beta2, t))),
    epsilon: Math.fround(epsilon),
    decay: Math.fround(1 - learningRate * weightDecay),
  };
}
