/** What the mixed mode keeps on the device: every region with its bytes, from shapes alone. */
import { FLOAT_BYTES, HALF_BYTES } from "../views.ts";
import { type ModelConfig, parameterCount } from "../../../model/config.ts";
import type { SessionOptions } from "../../engine.ts";
import { countChunks } from "../../ordered/chunks.ts";
import { rotaryHalf } from "../../ordered/rotary_tables.ts";
import { checkShapes } from "../../ordered/shapes.ts";
import { ownMatmulWorkspaceBytes } from "./own_matmuls.ts";
import { allShapes, passShapes } from "./matmul_shapes.ts";
import { columnPieces } from "./row_operations.ts";
import type { RowRange } from "./classifier.ts";
import { mixedKernelChoice } from "./specialization.ts";
import { TRAINING_STATE_BYTES } from "./training_state.ts";
import { SCALARS_BYTES } from "./update.ts";

/** Logits that are at hand at a time. */
const LOGIT_BYTES = 2 ** 30;
/** Pieces of the rows of logits begin at multiples of a matmul's tile. */
const LOGIT_ROWS = 128;
/** What cuBLASLt may ask for: NVIDIA's own choice for Hopper. */
export const LIBRARY_WORKSPACE_BYTES = 32 * 2 ** 20;

/** Choices of a caller. */
export interface MixedMemoryOptions {
  /**
   * whether activations of a layer are computed again in the backward pass instead of kept: the same bits for less
   * memory and a third more arithmetic; default: false
   */
  readonly recompute?: boolean;
  /** whose matmuls need a workspace; default: cuBLASLt */
  readonly matmuls?: "cuBLASLt" | "own";
  /** bytes of logits at hand at a time; other pieces round the head's gradient otherwise. Default: 1 GiB */
  readonly logitBytes?: number;
}

/** Regions that a session has once. */
export type RegionName =
  | "weights"
  | "firstMoments"
  | "secondMoments"
  | "roundedWeights"
  | "chunks"
  | "chunkSums"
  | "trainingState"
  | "updateScalars"
  | "cosines"
  | "sines"
  | "carriedBiases"
  | "passInput"
  | "losses"
  | "sequenceLosses"
  | "residual"
  | "finalNormalized"
  | "finalRstds"
  | "headInput"
  | "logits"
  | "headInputGradient"
  | "streamGradient"
  | "roundedStreamGradient"
  | "hiddenGradient"
  | "queryKeyValueGradient"
  | "attentionOutputGradient"
  | "attentionInputGradient"
  | "mlpInputGradient"
  | "deltas"
  | "normSums"
  | "streamSums"
  | "biasSums"
  | "matmulWorkspace";

/** Activations that the backward pass of a layer needs. */
export type LayerRegionName =
  | "normalized"
  | "rstds"
  | "attentionInput"
  | "mlpInput"
  | "queryKeyValue"
  | "logSums"
  | "attentionOutput"
  | "hidden"
  | "activation";

/** A session's memory. */
export interface MixedMemory {
  /** tokens of a pass: those of a gradient block */
  readonly rows: number;
  /** pieces of a pass's rows whose logits are at hand at a time */
  readonly logitRanges: readonly RowRange[];
  /** whole gradients: the one that grows, and those that wait for their twin in the tree over gradient blocks */
  readonly gradientVectors: number;
  /** sets of a layer's activations: one a layer, or one for all */
  readonly layerSets: number;
  /** inputs of layers that are kept to compute their activations again */
  readonly keptInputs: number;
  readonly regions: Readonly<Record<RegionName, number>>;
  /** bytes of one set */
  readonly layerRegions: Readonly<Record<LayerRegionName, number>>;
  readonly parts: MemoryParts;
  readonly bytes: number;
}

/** Bytes by what they are for. */
export interface MemoryParts {
  /** weights in f32 and 16 bits, both moments */
  readonly state: number;
  readonly gradients: number;
  /** what a pass leaves for its backward pass */
  readonly activations: number;
  /** what passes and matmuls work in */
  readonly work: number;
}

function total(sizes: Readonly<Record<string, number>>): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0);
}

/** Equal pieces of the rows, each of at most so many bytes of logits. */
function logitRanges(rows: number, { vocabularySize }: ModelConfig, bytes: number): RowRange[] {
  const most = Math.max(1, Math.floor(bytes / (HALF_BYTES * vocabularySize * LOGIT_ROWS))) * LOGIT_ROWS;
  const pieces = Math.ceil(rows / most);
  const count = Math.ceil(rows / pieces / LOGIT_ROWS) * LOGIT_ROWS;
  const ranges: RowRange[] = [];
  for (let first = 0; first < rows; first += count) ranges.push({ first, count: Math.min(count, rows - first) });
  return ranges;
}

/** Levels of the tree over pairs of gradient blocks at which a sum can wait. */
function waitingLevels(blocks: number): number {
  const pairs = Math.ceil(blocks / 2);
  let levels = 0;
  while (pairs > 1 && 2 ** levels <= pairs - 1) levels++;
  return levels;
}

/** Bytes of a pass's tokens and of their places by token (pass_input.ts). */
export function passInputBytes(sequences: number, sequenceLength: number): number {
  const rows = sequences * sequenceLength;
  return Math.ceil(sequences * (sequenceLength + 1) * 2 / 16) * 16 + 4 * (3 * rows + 1);
}

/**
 * Plans a session's memory on the device.
 *
 * @throws {RangeError} if a shape or count does not suit the kernels
 */
export function planMixedMemory(
  options: SessionOptions,
  { recompute = false, matmuls = "cuBLASLt", logitBytes = LOGIT_BYTES }: MixedMemoryOptions = {},
): MixedMemory {
  checkShapes(options, "cuda");
  mixedKernelChoice(options.model, "bf16");
  const { model, batchSequences, gradientBlockSequences } = options;
  const { hiddenSize: h, intermediateSize: m, sequenceLength, heads, vocabularySize, layers } = model;
  const parameters = parameterCount(model);
  const rows = gradientBlockSequences * sequenceLength;
  if (rows >= 2 ** 31) throw new RangeError(`A gradient block of ${rows} tokens is beyond what a kernel can count`);
  if (parameters >= 2 ** 32) throw new RangeError(`${parameters} parameters are beyond what a kernel can count`);
  const pieces = columnPieces(rows);
  const ranges = logitRanges(rows, model, logitBytes);
  const logitRows = [...new Set(ranges.map(({ count }) => count))];
  const shapes = allShapes(passShapes(model, rows), logitRows);
  const workspace = matmuls === "own" ? Math.max(...shapes.map(ownMatmulWorkspaceBytes)) : LIBRARY_WORKSPACE_BYTES;
  const chunks = countChunks(model);
  const floats = (count: number) => count * FLOAT_BYTES;
  const halves = (count: number) => count * HALF_BYTES;

  const regions: Record<RegionName, number> = {
    weights: floats(parameters),
    firstMoments: floats(parameters),
    secondMoments: floats(parameters),
    roundedWeights: halves(parameters),
    chunks: 12 * chunks,
    chunkSums: floats(chunks),
    trainingState: TRAINING_STATE_BYTES,
    updateScalars: SCALARS_BYTES,
    cosines: floats(sequenceLength * rotaryHalf(model)),
    sines: floats(sequenceLength * rotaryHalf(model)),
    carriedBiases: floats((layers + 1) * h),
    passInput: passInputBytes(gradientBlockSequences, sequenceLength),
    losses: floats(rows),
    sequenceLosses: floats(batchSequences),
    residual: floats(rows * h),
    finalNormalized: halves(rows * h),
    finalRstds: floats(rows),
    headInput: halves(rows * h),
    logits: halves(Math.max(...logitRows) * vocabularySize),
    headInputGradient: halves(rows * h),
    streamGradient: floats(rows * h),
    roundedStreamGradient: halves(rows * h),
    hiddenGradient: halves(rows * m),
    queryKeyValueGradient: halves(rows * 3 * h),
    attentionOutputGradient: halves(rows * h),
    attentionInputGradient: halves(rows * h),
    mlpInputGradient: halves(rows * h),
    deltas: floats(rows * heads),
    normSums: floats(pieces.norm * 4 * h),
    streamSums: floats(pieces.norm * h),
    biasSums: floats(pieces.linear * Math.max(m, 3 * h)),
    matmulWorkspace: Math.max(workspace, FLOAT_BYTES),
  };
  const layerRegions: Record<LayerRegionName, number> = {
    normalized: halves(rows * h),
    rstds: floats(rows),
    attentionInput: halves(rows * h),
    mlpInput: halves(rows * h),
    queryKeyValue: halves(rows * 3 * h),
    logSums: floats(rows * heads),
    attentionOutput: halves(rows * h),
    hidden: halves(rows * m),
    activation: halves(rows * m),
  };
  const layerSets = recompute ? 1 : layers;
  const keptInputs = recompute ? layers : 0;
  const gradientVectors = 1 + waitingLevels(batchSequences / gradientBlockSequences);
  const state = regions.weights + regions.firstMoments + regions.secondMoments + regions.roundedWeights;
  const gradients = gradientVectors * floats(parameters);
  const activations = layerSets * total(layerRegions) + keptInputs * regions.residual;
  const parts: MemoryParts = { state, gradients, activations, work: total(regions) - state };
  const bytes = total({ ...parts });
  return {
    rows,
    logitRanges: ranges,
    gradientVectors,
    layerSets,
    keptInputs,
    regions,
    layerRegions,
    parts,
    bytes,
  };
}

/**
 * The most sequences of a gradient block that fit, of those that divide the batch; `undefined` if not even one does.
 *
 * @param available bytes of the device
 */
export function largestGradientBlock(
  options: SessionOptions,
  memoryOptions: MixedMemoryOptions,
  available: number,
): number | undefined {
  for (let sequences = options.batchSequences; sequences >= 1; sequences--) {
    if (options.batchSequences % sequences !== 0) continue;
    const { bytes } = planMixedMemory({ ...options, gradientBlockSequences: sequences }, memoryOptions);
    if (bytes <= available) return sequences;
  }
  return undefined;
}
