/** What a session takes, and how many sequences go through the model at a time. */
import { type ModelConfig, parameterCount } from "../../model/config.ts";
import type { SessionOptions } from "../engine.ts";
import { checkShapes } from "../ordered/shapes.ts";

const FLOAT_BYTES = 4;

/** What a backend has. */
export interface MemoryLimits {
  /** bytes that the tensors of a micro-batch may take; one sequence is taken in any case */
  readonly activations: number;
  /** bytes that the backend can address */
  readonly addressable?: number;
}

/** On one thread small micro-batches are faster: fresh memory costs more than larger kernels save. */
export const ONE_THREAD_LIMITS: MemoryLimits = { activations: 256 * 2 ** 20 };

/** Large kernels keep a GPU, or TensorFlow's threads, busy. */
export const PARALLEL_LIMITS: MemoryLimits = { activations: 2 ** 31 };

/** How a batch is cut, and what that takes. */
export interface MemoryPlan {
  /** sequences of a micro-batch */
  readonly sequences: number;
  /** of all tensors at the peak of a step, predicted */
  readonly bytes: number;
}

/**
 * Numbers that a step holds for every token at its peak: TensorFlow.js keeps each tensor of the forward pass, and each
 * gradient, until the step ends. The factors were fitted to what it counts on the WASM backend over eleven shapes, to
 * within 3 %; the other backends take up to a fifth less.
 */
function floatsPerToken({ layers, hiddenSize, intermediateSize, heads, sequenceLength, vocabularySize }: ModelConfig) {
  const layer = 125 * hiddenSize + 21 * intermediateSize + 11 * heads * sequenceLength;
  return layers * layer + 22 * hiddenSize + 12.5 * vocabularySize;
}

/** Weights, moments, gradients, and what they are made of: fitted like the above. */
const FLOATS_PER_PARAMETER = 6.5;

/**
 * Plans a session.
 *
 * @param backend its name, for messages
 * @throws {RangeError} if a shape does not suit the engine, or a step needs more memory than the backend can address
 */
export function planMemory(options: SessionOptions, backend: string, limits: MemoryLimits): MemoryPlan {
  checkShapes(options, "tensorflow"); // no more than the others take, so that checkpoints go from one to the other
  const { model, batchSequences } = options;
  const perSequence = FLOAT_BYTES * model.sequenceLength * floatsPerToken(model);
  const sequences = Math.min(batchSequences, Math.max(1, Math.floor(limits.activations / perSequence)));
  const constants = FLOAT_BYTES * model.sequenceLength ** 2;
  const gradientSum = sequences < batchSequences ? 1 : 0; // of the micro-batches before
  const parameters = FLOAT_BYTES * (FLOATS_PER_PARAMETER + gradientSum) * parameterCount(model);
  const bytes = Math.ceil(parameters + constants + sequences * perSequence);
  if (limits.addressable !== undefined && bytes > limits.addressable) {
    const gib = (count: number) => `${(count / 2 ** 30).toFixed(1)} GiB`;
    throw new RangeError(
      `The tensorflow engine needs ${gib(bytes)} for this model, and its backend "${backend}" addresses ` +
        `${gib(limits.addressable)}: use a smaller model, or another backend`,
    );
  }
  return { sequences, bytes };
}
