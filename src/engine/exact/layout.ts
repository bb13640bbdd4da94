/** Where everything lies in the exact engine's shared memory: byte addresses from shapes, nothing else. */
import { counted } from "../../text/numbers.ts";
import { parameterCount } from "../../model/config.ts";
import type { SessionOptions } from "../engine.ts";
import { CHUNK_ELEMENTS } from "../ordered/chunks.ts";
import { rotaryHalf } from "../ordered/rotary_tables.ts";
import { checkShapes } from "../ordered/shapes.ts";
import { waitingLevels } from "../ordered/tree.ts";

const FLOAT_BYTES = 4;
const ALIGNMENT = 64;
/** The first page is left to the compiler's constants. */
const FIRST_ADDRESS = 65536;
/** Memory that 32-bit WebAssembly addresses. */
export const WEBASSEMBLY_LIMIT = 2 ** 32;
/** Attention probabilities above this many bytes a sequence are computed again in the backward pass. */
const KEPT_PROBABILITY_BYTES = 64 * 2 ** 20;

/** Activations of one layer that the backward pass needs, for one sequence; T rows each. */
export interface LayerActivations {
  /** x̂ of the layer's input (T, h) */
  readonly normalized: number;
  /** 1 / standard deviation (T) */
  readonly rstds: number;
  /** input of the attention (T, h) */
  readonly attentionInput: number;
  /** input of the MLP (T, h) */
  readonly mlpInput: number;
  /** rotated queries, keys, and values (T, heads, 3, d) */
  readonly queryKeyValue: number;
  /** softmax of each head (heads, T, T), or of one head if probabilities are recomputed */
  readonly probabilities: number;
  /** attention output before its projection (T, h) */
  readonly attentionOutput: number;
  /** GELU of the MLP (T, m) */
  readonly activation: number;
  /** GELU's derivative (T, m) */
  readonly activationDerivative: number;
}

/** A thread's own memory: one sequence's activations and what the passes work in. */
export interface Arena {
  readonly layers: readonly LayerActivations[];
  /** residual stream (T, h) */
  readonly residual: number;
  readonly finalNormalized: number;
  readonly finalRstds: number;
  /** input of the output head (T, h) */
  readonly headInput: number;
  /** logits, then their gradient (T, V) */
  readonly logits: number;
  /** cross-entropy of each token (T) */
  readonly losses: number;
  /** gradient of the residual stream (T, h) */
  readonly residualGradient: number;
  /** three work areas (T, h) */
  readonly workA: number;
  readonly workB: number;
  readonly workC: number;
  /** gradient of queries, keys and values (T, 3h) */
  readonly queryKeyValueGradient: number;
  /** gradient of the MLP's hidden layer (T, m) */
  readonly activationGradient: number;
  /** gradient of one head's scores (T, T) */
  readonly scoreGradient: number;
  /** scratch of a matmul: a packed panel of B (512, 8), then packed rows of A (258, 512) */
  readonly panel: number;
}

/** The whole memory of a session. */
export interface Layout {
  readonly parameters: number;
  readonly weights: number;
  readonly firstMoments: number;
  readonly secondMoments: number;
  /** weights that a penalty pulls towards, and how strongly each; nothing where there is none */
  readonly anchor: number;
  readonly importance: number;
  /** gradient of each block in flight: `microBatchBlocks` vectors of `parameters` */
  readonly blockGradients: readonly number[];
  /** sums of 2^i micro-batches that wait for their twin */
  readonly levelGradients: readonly number[];
  /** rotary cosines and sines (T, half) */
  readonly cosines: number;
  readonly sines: number;
  /** token windows u16 (windows, T + 1) */
  readonly tokens: number;
  /** windows that fit `tokens` */
  readonly tokenWindows: number;
  /** loss of each window f32 (windows) */
  readonly windowLosses: number;
  /** sum of squares of each chunk f32 */
  readonly chunkSums: number;
  readonly arenas: readonly Arena[];
  readonly keepProbabilities: boolean;
  readonly microBatchBlocks: number;
  readonly bytes: number;
}

function inGibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Smallest power of two that is at least n. */
function powerOfTwoAtLeast(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

/**
 * Lays out a session's memory.
 *
 * @param evaluationWindows windows that `evaluate` takes in one pass
 * @param memoryLimit bytes to take at most: what WebAssembly addresses, or with native kernels what the machine has
 * @throws {RangeError} if a shape or count does not suit the kernels or more than `memoryLimit` would be needed
 */
export function planLayout(
  options: SessionOptions,
  threads: number,
  evaluationWindows: number,
  keepProbabilities?: boolean,
  memoryLimit: number = WEBASSEMBLY_LIMIT,
): Layout {
  const { model, inferenceOnly = false } = options;
  checkShapes(options, "exact", { threads });
  const { hiddenSize: h, intermediateSize: m, sequenceLength: rows, heads, vocabularySize } = model;
  let next = FIRST_ADDRESS;
  const takeBytes = (bytes: number) => {
    const address = next;
    next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return address;
  };
  const take = (floats: number) => takeBytes(floats * FLOAT_BYTES);
  /** What only training touches; without it no memory, and an address that means nothing. */
  const takeForTraining = (floats: number) => take(inferenceOnly ? 0 : floats);
  /**
   * The same laid out `count` times. Beyond what can be addressed the rest is only counted: shapes may come from anyone,
   * and a billion layers are refused rather than listed.
   */
  const repeat = <T>(count: number, lay: () => T): T[] => {
    const laid: T[] = [];
    while (laid.length < count) {
      const start = next;
      laid.push(lay());
      if (next > memoryLimit) {
        next += (count - laid.length) * (next - start);
        break;
      }
    }
    return laid;
  };

  const parameters = parameterCount(model);
  const blocks = options.batchSequences / options.gradientBlockSequences;
  const microBatchBlocks = Math.min(
    powerOfTwoAtLeast(options.microBatchBlocks ?? threads),
    powerOfTwoAtLeast(blocks),
  );
  const levels = waitingLevels(Math.ceil(blocks / microBatchBlocks));
  const keep = !inferenceOnly && (keepProbabilities ?? heads * rows * rows * FLOAT_BYTES <= KEPT_PROBABILITY_BYTES);
  const tokenWindows = Math.max(options.batchSequences, evaluationWindows);

  const takeArena = (): Arena => {
    const sharedProbabilities = keep ? 0 : take(rows * rows);
    const takeLayer = (): LayerActivations => ({
      normalized: take(rows * h),
      rstds: take(rows),
      attentionInput: take(rows * h),
      mlpInput: take(rows * h),
      queryKeyValue: take(rows * 3 * h),
      probabilities: keep ? take(heads * rows * rows) : sharedProbabilities,
      attentionOutput: take(rows * h),
      activation: take(rows * m),
      activationDerivative: takeForTraining(rows * m),
    });
    // Only the backward pass goes back to a layer.
    const sharedLayer = inferenceOnly ? takeLayer() : undefined;
    return {
      layers: repeat(model.layers, () => sharedLayer ?? takeLayer()),
      residual: take(rows * h),
      finalNormalized: take(rows * h),
      finalRstds: take(rows),
      headInput: take(rows * h),
      logits: take(rows * vocabularySize),
      losses: take(rows),
      residualGradient: takeForTraining(rows * h),
      workA: take(rows * h),
      workB: takeForTraining(rows * h),
      workC: takeForTraining(rows * h),
      queryKeyValueGradient: takeForTraining(rows * 3 * h),
      activationGradient: takeForTraining(rows * m),
      scoreGradient: takeForTraining(rows * rows),
      panel: take(512 * 8 + 258 * 512),
    };
  };

  const layout: Layout = {
    parameters,
    weights: take(parameters),
    firstMoments: takeForTraining(parameters),
    secondMoments: takeForTraining(parameters),
    anchor: takeForTraining(options.penalty === undefined ? 0 : parameters),
    importance: takeForTraining(options.penalty?.kind === "ewc" ? parameters : 0),
    blockGradients: repeat(microBatchBlocks, () => takeForTraining(parameters)),
    levelGradients: repeat(levels, () => takeForTraining(parameters)),
    cosines: take(rows * rotaryHalf(model)),
    sines: take(rows * rotaryHalf(model)),
    tokens: takeBytes(tokenWindows * (rows + 1) * 2),
    tokenWindows,
    windowLosses: take(tokenWindows),
    chunkSums: take(Math.ceil(parameters / CHUNK_ELEMENTS) + 16 * model.layers + 8),
    arenas: repeat(threads, takeArena),
    keepProbabilities: keep,
    microBatchBlocks,
    bytes: next,
  };
  const bytes = Math.ceil(next / 65536) * 65536;
  if (bytes > memoryLimit) {
    const needed = `The exact engine needs ${inGibibytes(bytes)} for this model on ${counted(threads, "thread")}`;
    throw new RangeError(
      memoryLimit === WEBASSEMBLY_LIMIT
        ? `${needed}, but WebAssembly addresses 4 GiB: use fewer threads, a smaller model, a GPU engine, or native ` +
          `kernels (docs/native.md)`
        : `${needed}, but this machine has ${inGibibytes(memoryLimit)}: use fewer threads or a smaller model`,
    );
  }
  return { ...layout, bytes };
}
