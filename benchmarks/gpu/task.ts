/** What is trained: Pythia's shapes at sequence 2048, weights and tokens that two programs can make alike. */
import type { OptimizerSpecification } from "../../src/experiment/run/run.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { presetModel } from "../../src/model/presets.ts";
import { tokenWindows } from "../training_task.ts";

/** Sizes that are measured. */
export const SIZES = ["pythia-14m", "pythia-70m", "pythia-160m", "pythia-410m"] as const;
export type Size = (typeof SIZES)[number];

/** AdamW as the paper has it. */
export const OPTIMIZER: OptimizerSpecification = {
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  gradientClip: 1,
};

/** Low enough that the loss of random weights falls without a warm-up. */
export const LEARNING_RATE = Math.fround(1e-4);

/** Sequences of a step, and of a micro-batch, by size: what two trainers at a time fit into 80 GB. */
const BATCHES: Readonly<Record<Size, { readonly batch: number; readonly microBatch: number }>> = {
  "pythia-14m": { batch: 32, microBatch: 32 },
  "pythia-70m": { batch: 32, microBatch: 16 },
  "pythia-160m": { batch: 32, microBatch: 16 },
  "pythia-410m": { batch: 32, microBatch: 8 },
};

/** Batches that a training goes through again and again. */
export const BATCH_COUNT = 4;

/** A prime number, so that no two rows of a matrix hold the same numbers. */
const NOISE_LENGTH = 1048573;

/** A model's shape; for a rehearsal one of two heads, two layers, and few tokens. */
export function modelOf(size: Size, rehearsal: boolean): ModelConfig {
  const { config } = presetModel(size);
  if (!rehearsal) return config;
  return {
    ...config,
    layers: 2,
    heads: 2,
    hiddenSize: 32,
    intermediateSize: 128,
    vocabularySize: 256,
    sequenceLength: 40,
  };
}

/** Everything that determines the losses of every step, up to rounding. */
export interface GpuTask {
  readonly size: Size;
  readonly model: ModelConfig;
  readonly optimizer: OptimizerSpecification;
  readonly learningRate: number;
  readonly batchSequences: number;
  readonly microBatchSequences: number;
  /** token windows of shape (B, T + 1) */
  readonly batches: readonly Uint16Array<ArrayBuffer>[];
  /** standard normal numbers that all weights are made from */
  readonly noise: Float32Array<ArrayBuffer>;
}

/** Other choices than a size's own; a rehearsal keeps its shapes. */
export interface TaskChoice {
  readonly batchSequences?: number;
  readonly microBatchSequences?: number;
  readonly shape?: Partial<ModelConfig>;
}

/** The task for a size. */
export function gpuTask(size: Size, rehearsal: boolean, choice: TaskChoice = {}): GpuTask {
  const model = { ...modelOf(size, rehearsal), ...(rehearsal ? {} : choice.shape) };
  const own = rehearsal ? { batch: 4, microBatch: 2 } : BATCHES[size];
  const batchSequences = rehearsal ? own.batch : choice.batchSequences ?? own.batch;
  const microBatchSequences = rehearsal ? own.microBatch : choice.microBatchSequences ?? own.microBatch;
  return {
    size,
    model,
    optimizer: OPTIMIZER,
    learningRate: LEARNING_RATE,
    batchSequences,
    microBatchSequences,
    batches: Array.from({ length: BATCH_COUNT }, (_, index) => tokenWindows(model, batchSequences, index)),
    noise: normalNoise(NOISE_LENGTH),
  };
}

/** Tokens of one optimizer step. */
export function tokensPerStep({ batchSequences, model }: GpuTask): number {
  return batchSequences * model.sequenceLength;
}

/** Standard normal numbers by Box and Muller's transform from a linear congruential generator. */
export function normalNoise(length: number): Float32Array<ArrayBuffer> {
  const noise = new Float32Array(length);
  let state = 2308;
  const uniform = () => {
    // Numerical Recipes' constants, modulo 2^32
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
    noise[i] = radius * Math.cos(angle);
    if (i + 1 < length) noise[i + 1] = radius * Math.sin(angle);
  }
  return noise;
}

/**
 * Fills the flat parameter vector: element i of it is its tensor's standard deviation times noise[i modulo its length],
 * rounded once. Much faster than the project's own initial weights, and as easy in another program.
 */
export function fillWeights({ model, noise }: Pick<GpuTask, "model" | "noise">, weights: Float32Array): void {
  if (weights.length !== parameterCount(model)) throw new RangeError(`${weights.length} weights`);
  for (const { offset, size, initial } of parameterShapes(model)) {
    if (initial.kind === "constant") {
      weights.fill(initial.value, offset, offset + size);
      continue;
    }
    const { standardDeviation } = initial;
    let at = offset % noise.length;
    for (let i = offset; i < offset + size; i++) {
      weights[i] = standardDeviation * (noise[at] ?? NaN);
      if (++at === noise.length) at = 0;
    }
  }
}
