/** Small models, tokens, engines that share compiled kernels, and comparisons to the bit. */
import assert from "node:assert/strict";
import { philox } from "../../src/arithmetic/philox.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Session, TrainingState } from "../../src/engine/engine.ts";
import { createExactEngine, type ExactEngineOptions } from "../../src/engine/exact/engine.ts";
import type { KernelCache } from "../../src/engine/kernel_cache.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import type { Training } from "../reference/step.ts";

/** 16 wide, two layers, two heads of 8: every kernel runs, a step takes milliseconds. */
export const SMALL_MODEL: ModelConfig = {
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 64,
  vocabularySize: 64,
  sequenceLength: 24,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

/** AdamW as the paper has it. */
export const OPTIMIZER = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradientClip: 1 };

/** A learning rate that moves every weight visibly. */
export const LEARNING_RATE = Math.fround(3e-3);

const binaries = new Map<string, Uint8Array<ArrayBuffer>>();

/** Kernels compiled once for all tests of a file. */
export const sharedCache: KernelCache = {
  get: (digest) => Promise.resolve(binaries.get(digest)),
  put: (digest, binary) => {
    binaries.set(digest, binary);
    return Promise.resolve();
  },
};

/** An exact engine on one thread, unless told otherwise. */
export function engineWith(options: Partial<ExactEngineOptions> = {}) {
  return createExactEngine({ threads: 1, sha256, cache: sharedCache, ...options });
}

/** Opens a session, runs `use` and closes it. */
export async function withSession<T>(
  training: Training & { readonly microBatchBlocks?: number },
  use: (session: Session) => Promise<T>,
  options: Partial<ExactEngineOptions> = {},
): Promise<T> {
  const session = await (await engineWith(options)).open(training);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** A training of the small model. */
export function smallTraining(
  model: Partial<ModelConfig> = {},
  batchSequences = 2,
  gradientBlockSequences = 1,
  optimizer: Partial<typeof OPTIMIZER> = {},
): Training {
  return {
    model: { ...SMALL_MODEL, ...model },
    optimizer: { ...OPTIMIZER, ...optimizer },
    batchSequences,
    gradientBlockSequences,
  };
}

/** Random tokens, (windows, T + 1): always the same for a seed. */
export function randomTokens({ sequenceLength, vocabularySize }: ModelConfig, windows: number, seed = 1): Uint16Array {
  const words = new Uint32Array(4);
  return Uint16Array.from({ length: windows * (sequenceLength + 1) }, (_, i) => {
    philox([seed, 0], [i, 0, 0, 0], words);
    return (words[0] ?? 0) % vocabularySize;
  });
}

/**
 * Random weights away from every special value: initial weights times `scale`, gains and biases moved from 1 and 0.
 */
export function randomWeights(model: ModelConfig, seed = 1, scale = 1): Float32Array {
  const weights = new Float32Array(parameterCount(model));
  initializeWeights(model, seed, weights);
  const words = new Uint32Array(4);
  return weights.map((weight, i) => {
    philox([seed, 1], [i, 0, 0, 0], words);
    return (weight + (((words[0] ?? 0) + 0.5) / 4294967296 - 0.5) / 8) * scale;
  });
}

/** A state of its own, moments at zero. */
export function stateOf(weights: Float32Array): TrainingState {
  return {
    weights: weights.slice(),
    firstMoments: new Float32Array(weights.length),
    secondMoments: new Float32Array(weights.length),
  };
}

/** A copy of a session's state. */
export async function copyState(session: Session): Promise<TrainingState> {
  const { weights, firstMoments, secondMoments } = await session.readState();
  return { weights: weights.slice(), firstMoments: firstMoments.slice(), secondMoments: secondMoments.slice() };
}

/** Hands a session a copy of a state. */
export async function loadState(session: Session, source: TrainingState): Promise<void> {
  await session.writeState(({ weights, firstMoments, secondMoments }) => {
    weights.set(source.weights);
    firstMoments.set(source.firstMoments);
    secondMoments.set(source.secondMoments);
  });
}

/** Starts a session from weights, moments at zero. */
export async function loadWeights(session: Session, source: Float32Array): Promise<void> {
  await session.writeState(({ weights }) => weights.set(source));
}

/** SHA-256 of weights and both moments, little-endian. */
export function digestOf({ weights, firstMoments, secondMoments }: TrainingState): string {
  const digests = [weights, firstMoments, secondMoments].map(({ buffer, byteOffset, byteLength }) =>
    sha256(new Uint8Array(buffer, byteOffset, byteLength).slice())
  );
  return sha256(digests.join(" "));
}

/** Fails naming the first tensor and element whose bits differ. */
export function assertSameVector(actual: Float32Array, expected: Float32Array, model: ModelConfig, what: string): void {
  const bits = (vector: Float32Array) => new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  const [a, b] = [bits(actual), bits(expected)];
  assert.equal(a.length, b.length);
  const index = a.findIndex((word, i) => word !== b[i]);
  if (index < 0) return;
  const tensor = parameterShapes(model).find(({ offset, size }) => index < offset + size);
  assert.fail(
    `${what}: ${tensor?.name}[${index - (tensor?.offset ?? 0)}] is ${actual[index]}, expected ${expected[index]}`,
  );
}

/** Fails if any of the three vectors differs in a bit. */
export function assertSameState(actual: TrainingState, expected: TrainingState, model: ModelConfig): void {
  assertSameVector(actual.weights, expected.weights, model, "weights");
  assertSameVector(actual.firstMoments, expected.firstMoments, model, "first moments");
  assertSameVector(actual.secondMoments, expected.secondMoments, model, "second moments");
}
