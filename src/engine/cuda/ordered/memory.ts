/** What the ordered mode keeps on the device: every region with its bytes, from shapes alone. */
import { parameterCount } from "../../../model/config.ts";
import type { SessionOptions } from "../../engine.ts";
import { countChunks } from "../../ordered/chunks.ts";
import { rotaryHalf } from "../../ordered/rotary_tables.ts";
import { checkShapes } from "../../ordered/shapes.ts";
import { waitingLevels } from "../../ordered/tree.ts";
import { columnPieces } from "./kernels.ts";

const FLOAT = 4;
/** Tokens of a micro-batch, unless one gradient block has more or the caller chose: enough to fill a large GPU. */
const MICRO_BATCH_TOKENS = 16384;
/** Attention scores that are worked on at a time take at most this, in bytes, for each of two areas. */
const SCORE_BYTES = 2 ** 30;

/** Regions by name; those of a layer once a layer. */
export interface OrderedMemory {
  /** gradient blocks of a micro-batch, a power of two */
  readonly microBatchBlocks: number;
  /** sequences of a micro-batch */
  readonly microBatchSequences: number;
  /** micro-batch sums that wait for their twin in the pairwise tree */
  readonly levels: number;
  /** attention problems (sequence, head) worked on at a time: whole sequences, or some heads of one */
  readonly scoreProblems: { readonly sequences: number; readonly heads: number };
  /** bytes of each region */
  readonly regions: Readonly<Record<RegionName, number>>;
  /** bytes of each region that a layer has for itself */
  readonly layerRegions: Readonly<Record<LayerRegionName, number>>;
  /** all of it */
  readonly bytes: number;
}

/** Regions that a session has once. */
export type RegionName =
  | "weights"
  | "firstMoments"
  | "secondMoments"
  | "gradients"
  | "levelGradients"
  | "cosines"
  | "sines"
  | "chunkRanges"
  | "chunkDecayed"
  | "chunkSums"
  | "tokens"
  | "embeddingIds"
  | "embeddingStarts"
  | "embeddingRows"
  | "tokenLosses"
  | "sequenceLosses"
  | "residual"
  | "layerInput"
  | "update"
  | "finalNormalized"
  | "finalRstds"
  | "logits"
  | "residualGradient"
  | "workA"
  | "workB"
  | "workC"
  | "queryKeyValueGradient"
  | "activationGradient"
  | "scores"
  | "scoreGradients"
  | "columnPieces";

/** Activations of a layer that its backward pass needs. */
export type LayerRegionName =
  | "normalized"
  | "rstds"
  | "queryKeyValue"
  | "attentionOutput"
  | "activation"
  | "activationDerivative";

function powerOfTwoAtMost(n: number): number {
  let power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
}

/**
 * Plans a session's memory on the device.
 *
 * @throws {RangeError} if a shape or count does not suit the kernels
 */
export function planOrderedMemory(options: SessionOptions): OrderedMemory {
  checkShapes(options, "cuda");
  const { model, batchSequences, gradientBlockSequences } = options;
  const { hiddenSize: h, intermediateSize: m, sequenceLength: length, heads, vocabularySize, layers } = model;
  const parameters = parameterCount(model);
  const blocks = batchSequences / gradientBlockSequences;
  const blockTokens = gradientBlockSequences * length;
  const wanted = options.microBatchBlocks ?? Math.max(1, MICRO_BATCH_TOKENS / blockTokens);
  const microBatchBlocks = powerOfTwoAtMost(Math.min(wanted, 2 * blocks - 1));
  const microBatchSequences = microBatchBlocks * gradientBlockSequences;
  const levels = waitingLevels(Math.ceil(blocks / microBatchBlocks));

  const rows = microBatchSequences * length;
  const problems = Math.max(1, Math.floor(SCORE_BYTES / (length * length * FLOAT)));
  const scoreProblems = problems >= heads
    ? { sequences: Math.min(microBatchSequences, Math.floor(problems / heads)), heads }
    : { sequences: 1, heads: problems };
  const scores = scoreProblems.sequences * scoreProblems.heads * length * length;
  const chunks = countChunks(model);
  const half = rotaryHalf(model);

  const floats = (count: number) => count * FLOAT;
  const regions: Record<RegionName, number> = {
    weights: floats(parameters),
    firstMoments: floats(parameters),
    secondMoments: floats(parameters),
    gradients: floats(microBatchBlocks * parameters),
    levelGradients: floats(levels * parameters),
    cosines: floats(length * half),
    sines: floats(length * half),
    chunkRanges: floats(2 * chunks),
    chunkDecayed: chunks,
    chunkSums: floats(chunks),
    tokens: microBatchSequences * (length + 1) * 2,
    embeddingIds: floats(rows),
    embeddingStarts: floats(rows + 1),
    embeddingRows: floats(rows),
    tokenLosses: floats(rows),
    sequenceLosses: floats(Math.max(batchSequences, microBatchSequences)),
    residual: floats(rows * h),
    layerInput: floats(rows * h),
    update: floats(rows * h),
    finalNormalized: floats(rows * h),
    finalRstds: floats(rows),
    logits: floats(rows * vocabularySize),
    residualGradient: floats(rows * h),
    workA: floats(rows * h),
    workB: floats(rows * h),
    workC: floats(rows * h),
    queryKeyValueGradient: floats(rows * 3 * h),
    activationGradient: floats(rows * m),
    scores: floats(scores),
    scoreGradients: floats(scores),
    columnPieces: floats(microBatchBlocks * columnPieces(gradientBlockSequences, length) * Math.max(3 * h, m)),
  };
  const layerRegions: Record<LayerRegionName, number> = {
    normalized: floats(rows * h),
    rstds: floats(rows),
    queryKeyValue: floats(rows * 3 * h),
    attentionOutput: floats(rows * h),
    activation: floats(rows * m),
    activationDerivative: floats(rows * m),
  };
  const total = (sizes: Readonly<Record<string, number>>) => Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const bytes = total(regions) + layers * total(layerRegions);
  return { microBatchBlocks, microBatchSequences, levels, scoreProblems, regions, layerRegions, bytes };
}
