/** A training step, docs/arithmetic.md §6: gradient blocks, their tree, the norm, clipping and AdamW. */
import type { StepResult, TrainingState } from "../../src/engine/engine.ts";
import type { OptimizerSpecification } from "../../src/experiment/run/run.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { backward } from "./backward.ts";
import { forward, sequenceLoss } from "./forward.ts";
import { fma, laneSum, pairwiseTree, treeSum } from "./ordered_arithmetic.ts";
import { parameters } from "./parameters.ts";

const { fround } = Math;
const NORM_CHUNK = 4096;

/** What a step needs besides the state and the batch. */
export interface Training {
  readonly model: ModelConfig;
  readonly optimizer: OptimizerSpecification;
  readonly batchSequences: number;
  readonly gradientBlockSequences: number;
}

/** Loss and gradient of a batch; tokens: (B, T + 1). */
export function gradient(training: Training, weights: Float32Array, tokens: Uint16Array) {
  const { model, batchSequences, gradientBlockSequences } = training;
  const width = model.sequenceLength + 1;
  const tokenWeight = fround(1 / (batchSequences * model.sequenceLength));
  const current = parameters(model, weights);
  const gradients: Float32Array[] = [];
  const losses: number[] = [];
  for (let first = 0; first < batchSequences; first += gradientBlockSequences) {
    const block = parameters(model);
    let blockLoss = 0;
    for (let s = first; s < first + gradientBlockSequences; s++) {
      const sequence = tokens.subarray(s * width, (s + 1) * width);
      const saved = forward(model, current, sequence);
      const loss = sequenceLoss(saved.logits, sequence);
      backward(model, current, sequence, saved, loss, tokenWeight, block);
      blockLoss = fround(blockLoss + loss.loss);
    }
    gradients.push(block.flat);
    losses.push(blockLoss);
  }
  return {
    loss: fround(treeSum(losses) * tokenWeight),
    gradient: pairwiseTree(gradients, (left, right) => left.map((value, i) => value + right[i]!)),
  };
}

/** L2 norm over all tensors. */
export function gradientNorm(model: ModelConfig, vector: Float32Array): number {
  const chunks = parameterShapes(model).flatMap(({ offset, size }) =>
    Array.from({ length: Math.ceil(size / NORM_CHUNK) }, (_, chunk) => {
      const first = offset + chunk * NORM_CHUNK;
      const length = Math.min(NORM_CHUNK, offset + size - first);
      return laneSum(length, (sum, i) => fma(vector[first + i]!, vector[first + i]!, sum));
    })
  );
  return fround(Math.sqrt(treeSum(chunks)));
}

/** Base to a whole power, from the lowest bit of the exponent. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let factor = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/** One optimizer step in place; tokens: (B, T + 1). */
export function step(
  training: Training,
  state: TrainingState,
  tokens: Uint16Array,
  learningRate: number,
  index: number,
): StepResult {
  const { model, optimizer } = training;
  const { loss, gradient: g } = gradient(training, state.weights, tokens);
  const norm = gradientNorm(model, g);
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) return { loss, gradientNorm: norm, outcome: "diverged" };

  const clip = Math.min(1, fround(optimizer.gradientClip / fround(norm + fround(1e-6))));
  const eta = fround(learningRate / (1 - power(optimizer.beta1, index + 1)));
  const rho = fround(Math.sqrt(1 - power(optimizer.beta2, index + 1)));
  const beta1 = fround(optimizer.beta1), beta2 = fround(optimizer.beta2);
  const rest1 = fround(1 - optimizer.beta1), rest2 = fround(1 - optimizer.beta2);
  const epsilon = fround(optimizer.epsilon);
  for (const { offset, size, decayed } of parameterShapes(model)) {
    const decay = decayed ? fround(1 - learningRate * optimizer.weightDecay) : 1;
    for (let i = offset; i < offset + size; i++) {
      const clipped = fround(g[i]! * clip);
      const m = fma(beta1, state.firstMoments[i]!, fround(rest1 * clipped));
      const v = fma(beta2, state.secondMoments[i]!, fround(fround(rest2 * clipped) * clipped));
      const denominator = fround(fround(fround(Math.sqrt(v)) / rho) + epsilon);
      state.firstMoments[i] = m;
      state.secondMoments[i] = v;
      state.weights[i] = fma(-eta, fround(m / denominator), fround(state.weights[i]! * decay));
    }
  }
  return { loss, gradientNorm: norm, outcome: "updated" };
}
