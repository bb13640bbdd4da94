/** The training that every peer does: one model, its initial weights, its batches and rates. */
import { philox } from "../src/arithmetic/philox.ts";
import type { OptimizerSpecification } from "../src/experiment/run/run.ts";
import { type ModelConfig, parameterCount } from "../src/model/config.ts";
import { initializeWeights } from "../src/model/initial_weights.ts";

/** Everything that determines the losses of every step, up to rounding. */
export interface TrainingTask {
  readonly model: ModelConfig;
  readonly optimizer: OptimizerSpecification;
  /** sequences of a step, B */
  readonly batchSequences: number;
  /** sequences of a gradient block of rewarm's own */
  readonly gradientBlockSequences: number;
  /** the same at every step */
  readonly learningRate: number;
  /** flat in the order of `parameterShapes` */
  readonly weights: Float32Array<ArrayBuffer>;
  /** token windows of shape (B, T + 1); step s trains on the one at s modulo their number */
  readonly batches: readonly Uint16Array<ArrayBuffer>[];
}

export const SEED = 2308;
export const OPTIMIZER: OptimizerSpecification = {
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  gradientClip: 1,
};
export const LEARNING_RATE = Math.fround(1e-3);
const BATCHES = 4;
/** Philox stream of the tokens, apart from those of the engine. */
const TOKEN_STREAM = 1000;

/** The model that speed is measured on, sequence 256. */
export const BENCHMARK_MODEL: ModelConfig = {
  hiddenSize: 128,
  layers: 6,
  heads: 4,
  intermediateSize: 512,
  vocabularySize: 2048,
  sequenceLength: 256,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

/** A model so small that a step takes milliseconds everywhere: to see that the peers agree, not how fast they are. */
export const CHECK_MODEL: ModelConfig = {
  ...BENCHMARK_MODEL,
  hiddenSize: 32,
  layers: 2,
  heads: 2,
  intermediateSize: 128,
  vocabularySize: 64,
  sequenceLength: 32,
};

/** Four times as wide, sequence 512. */
export const WIDE_MODEL: ModelConfig = {
  ...BENCHMARK_MODEL,
  hiddenSize: 512,
  heads: 8,
  intermediateSize: 2048,
  vocabularySize: 8192,
  sequenceLength: 512,
};

/** Pythia-14M as it was trained, sequence 2048: EleutherAI/pythia-14m. */
export const LONG_MODEL: ModelConfig = { ...BENCHMARK_MODEL, vocabularySize: 50304, sequenceLength: 2048 };

/** Windows whose tokens are rare as in text: token u² · V for a uniform u, so that there is something to learn. */
export function tokenWindows(model: ModelConfig, batchSequences: number, batch: number): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  return Uint16Array.from({ length: batchSequences * (model.sequenceLength + 1) }, (_, i) => {
    if (i % 4 === 0) philox([SEED, 0], [i / 4, batch, 0, TOKEN_STREAM], words);
    const uniform = (words[i % 4] ?? 0) / 2 ** 32;
    return Math.floor(uniform * uniform * model.vocabularySize);
  });
}

/** The task for a model; the same numbers on every machine. */
export function trainingTask(model: ModelConfig, batchSequences: number, gradientBlockSequences = 2): TrainingTask {
  const weights = new Float32Array(parameterCount(model));
  initializeWeights(model, SEED, weights);
  return {
    model,
    optimizer: OPTIMIZER,
    batchSequences,
    gradientBlockSequences,
    learningRate: LEARNING_RATE,
    weights,
    batches: Array.from({ length: BATCHES }, (_, batch) => tokenWindows(model, batchSequences, batch)),
  };
}

/** Tokens of one optimizer step. */
export function tokensPerStep({ batchSequences, model }: TrainingTask): number {
  return batchSequences * model.sequenceLength;
}

/** The batch of a step. */
export function batchOf({ batches }: TrainingTask, step: number): Uint16Array<ArrayBuffer> {
  const batch = batches[step % batches.length];
  if (batch === undefined) throw new RangeError(`No batch for step ${step}`);
  return batch;
}
