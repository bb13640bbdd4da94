/** Kernels that work row by row: embedding, LayerNorm, GELU, rotary embedding, and column sums of gradients. */
import type { ModelConfig } from "../../../model/config.ts";
import { rotaryHalf } from "../../ordered/rotary_tables.ts";
import type { Device } from "../driver/device.ts";
import { NOTHING, type View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES, need } from "../views.ts";
import type { MixedKernels } from "./kernels.ts";

/** Rows whose column sums form one chain: GELU_PIECE and ROTARY_PIECE of the kernels. */
const PIECE_ROWS = 32;
/** NORM_PIECE */
const NORM_PIECE_ROWS = 16;

/** Pieces of a column sum over a pass's rows: of gradients of GELU and rotary embedding, and of LayerNorm's. */
export function columnPieces(rows: number): { readonly linear: number; readonly norm: number } {
  return { linear: Math.ceil(rows / PIECE_ROWS), norm: Math.ceil(rows / NORM_PIECE_ROWS) };
}

const LANES = 32;
/** Columns that a lane of LayerNorm has. */
const LANE_COLUMNS = 8;
/** Warps of a block of LayerNorm, as far as whole rows fill them. */
const NORM_WARPS = 4;
/** Threads of a block where each has 8 columns or 4 elements. */
const THREADS = 128;

/** Gain and shift of a LayerNorm. */
export interface NormWeights {
  readonly gain: View;
  readonly shift: View;
}

/** What a LayerNorm leaves for its backward pass: x̂ (rows, h) 16-bit and 1 / standard deviation (rows). */
export interface Normalized {
  readonly normalized: View;
  readonly rstds: View;
}

/** Partial column sums of a backward kernel, and where their totals go. */
export interface ColumnSums {
  /** (pieces, width) f32 */
  readonly partial: View;
  readonly pieces: number;
  readonly width: number;
  readonly target: View;
  /** gets the same, if given */
  readonly also?: View;
}

/** Which token stands where, by tokens (ordered/embedding_index.ts). */
export interface EmbeddingRows {
  readonly ids: View;
  readonly starts: View;
  readonly rows: View;
  /** distinct tokens */
  readonly count: number;
}

/** Gradient of the residual stream, f32 and as matmuls read it. */
export interface StreamGradient {
  readonly exact: View;
  readonly rounded: View;
}

/** Launches for one model and number of rows. */
export class RowOperations {
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #model: ModelConfig;
  readonly #rows: number;
  readonly #warpsPerRow: number;
  readonly #normGroups: number;
  /** of this pass */
  readonly pieces: ReturnType<typeof columnPieces>;

  /** @param rows tokens of a pass */
  constructor(device: Device, kernels: MixedKernels, model: ModelConfig, rows: number) {
    this.#device = device;
    this.#kernels = kernels;
    this.#model = model;
    this.#rows = rows;
    this.#warpsPerRow = Math.ceil(model.hiddenSize / (LANE_COLUMNS * LANES));
    this.pieces = columnPieces(rows);
    this.#normGroups = Math.max(1, Math.floor(NORM_WARPS / this.#warpsPerRow));
  }

  #normShape(rowsPerGroup: number): { grid: number; block: number } {
    const grid = Math.ceil(this.#rows / (rowsPerGroup * this.#normGroups));
    return { grid, block: LANES * this.#warpsPerRow * this.#normGroups };
  }

  /** A grid that covers columns by 8 and rows by pieces. */
  #pieceShape(width: number): { grid: [number, number, number]; block: number } {
    return { grid: [Math.ceil(width / (8 * THREADS)), this.pieces.linear, 1], block: THREADS };
  }

  /** tokens u16 (windows, T + 1) → residual (rows, h). */
  embed(tokens: View, embedding: View, residual: View): void {
    const { hiddenSize: h, sequenceLength, vocabularySize } = this.#model;
    const rows = this.#rows;
    this.#device.launch(
      this.#kernels.embed,
      { grid: Math.ceil(rows * h / (4 * THREADS)), block: THREADS },
      need(tokens, rows / sequenceLength * (sequenceLength + 1), 2),
      need(embedding, vocabularySize * h, FLOAT_BYTES),
      need(residual, rows * h, FLOAT_BYTES),
      rows,
      h,
      sequenceLength,
    );
  }

  /** Adds to the rows of the embedding's gradient (V, h) that occur. */
  embedBackward(stream: View, index: EmbeddingRows, gradient: View): void {
    const { hiddenSize: h, vocabularySize } = this.#model;
    this.#device.launch(
      this.#kernels.embedding_backward,
      { grid: index.count, block: Math.min(256, Math.ceil(h / 4 / LANES) * LANES) },
      need(stream, this.#rows * h, FLOAT_BYTES),
      need(index.ids, index.count, 4),
      need(index.starts, index.count + 1, 4),
      need(index.rows, this.#rows, 4),
      need(gradient, vocabularySize * h, FLOAT_BYTES),
      h,
    );
  }

  /** carried (L + 1, h): sums of the output biases of the layers below each, from the flat weights. */
  carryBiases(weights: View, biases: { attention: number; mlp: number; layerStride: number }, carried: View): void {
    const { hiddenSize: h, layers } = this.#model;
    const last = (layers - 1) * biases.layerStride + Math.max(biases.attention, biases.mlp) + h;
    this.#device.launch(
      this.#kernels.carry_biases,
      { grid: Math.ceil(h / THREADS), block: THREADS },
      need(weights, last, FLOAT_BYTES),
      biases.attention,
      biases.mlp,
      biases.layerStride,
      need(carried, (layers + 1) * h, FLOAT_BYTES),
      layers,
      h,
    );
  }

  /** One normalisation with two sets of weights, or with one. */
  normalize(
    input: { residual: View; carried: View },
    outputs: readonly [NormWeights & { y: View }, (NormWeights & { y: View })?],
    { normalized, rstds }: Normalized,
  ): void {
    const { hiddenSize: h, layerNormEpsilon } = this.#model;
    const rows = this.#rows;
    const floats = (view: View) => need(view, h, FLOAT_BYTES);
    const halves = (view: View) => need(view, rows * h, HALF_BYTES);
    const residual = need(input.residual, rows * h, FLOAT_BYTES);
    const carried = floats(input.carried);
    const [first, second] = outputs;
    const shape = this.#normShape(1);
    const kept = [halves(normalized), need(rstds, rows, FLOAT_BYTES)] as const;
    const end = [rows, h, this.#warpsPerRow, layerNormEpsilon] as const;
    const own = [residual, carried, floats(first.gain), floats(first.shift)] as const;
    if (second === undefined) {
      this.#device.launch(this.#kernels.layer_norm, shape, ...own, ...kept, halves(first.y), ...end);
    } else {
      const other = [floats(second.gain), floats(second.shift)] as const;
      const targets = [halves(first.y), halves(second.y)] as const;
      this.#device.launch(this.#kernels.layer_norm_pair, shape, ...own, ...other, ...kept, ...targets, ...end);
    }
  }

  /**
   * Gradient through a layer's two norms joined to the stream's, or through the final norm alone, which begins it.
   * Partial sums: of gains and shifts, (pieces, 4h) or (pieces, 2h), and of the stream, (pieces, h).
   */
  normalizeBackward(
    inputs: readonly [{ dy: View; gain: View }, { dy: View; gain: View }?],
    { normalized, rstds }: Normalized,
    stream: StreamGradient,
    sums: { norm: View; stream: View },
  ): void {
    const { hiddenSize: h } = this.#model;
    const rows = this.#rows;
    const floats = (view: View) => need(view, h, FLOAT_BYTES);
    const halves = (view: View) => need(view, rows * h, HALF_BYTES);
    const [first, second] = inputs;
    const shape = this.#normShape(NORM_PIECE_ROWS);
    const kept = [halves(normalized), need(rstds, rows, FLOAT_BYTES)] as const;
    const end = [
      need(stream.exact, rows * h, FLOAT_BYTES),
      halves(stream.rounded),
      need(sums.norm, this.pieces.norm * (second === undefined ? 2 : 4) * h, FLOAT_BYTES),
      need(sums.stream, this.pieces.norm * h, FLOAT_BYTES),
      rows,
      h,
      this.#warpsPerRow,
    ] as const;
    if (second === undefined) {
      this.#device.launch(
        this.#kernels.layer_norm_backward,
        shape,
        ...[halves(first.dy), floats(first.gain)] as const,
        ...kept,
        ...end,
      );
    } else {
      this.#device.launch(
        this.#kernels.layer_norm_pair_backward,
        shape,
        ...[halves(first.dy), halves(second.dy), floats(first.gain), floats(second.gain)] as const,
        ...kept,
        ...end,
      );
    }
  }

  /** activation (rows, m) = GELU(hidden + bias). */
  gelu(hidden: View, bias: View, activation: View): void {
    const { intermediateSize: m } = this.#model;
    this.#device.launch(
      this.#kernels.bias_gelu,
      this.#pieceShape(m),
      need(hidden, this.#rows * m, HALF_BYTES),
      need(bias, m, FLOAT_BYTES),
      need(activation, this.#rows * m, HALF_BYTES),
      this.#rows,
      m,
    );
  }

  /** Gradient of the activation → of the hidden layer, in place; partial column sums (pieces, m). */
  geluBackward(gradient: View, hidden: View, bias: View, sums: View): void {
    const { intermediateSize: m } = this.#model;
    this.#device.launch(
      this.#kernels.bias_gelu_backward,
      this.#pieceShape(m),
      need(gradient, this.#rows * m, HALF_BYTES),
      need(hidden, this.#rows * m, HALF_BYTES),
      need(bias, m, FLOAT_BYTES),
      need(sums, this.pieces.linear * m, FLOAT_BYTES),
      this.#rows,
      m,
    );
  }

  /** Adds the bias to queries, keys and values (rows, heads, 3, d), and turns queries and keys. */
  rotary(queryKeyValue: View, bias: View, tables: { cosines: View; sines: View }): void {
    const width = 3 * this.#model.hiddenSize;
    this.#device.launch(
      this.#kernels.bias_rotary,
      this.#pieceShape(width),
      need(queryKeyValue, this.#rows * width, HALF_BYTES),
      need(bias, width, FLOAT_BYTES),
      ...this.#tables(tables),
      this.#rows,
      width,
      this.#model.sequenceLength,
    );
  }

  /** Turns the gradient of queries and keys back; partial column sums (pieces, 3h). */
  rotaryBackward(gradient: View, tables: { cosines: View; sines: View }, sums: View): void {
    const width = 3 * this.#model.hiddenSize;
    this.#device.launch(
      this.#kernels.bias_rotary_backward,
      this.#pieceShape(width),
      need(gradient, this.#rows * width, HALF_BYTES),
      ...this.#tables(tables),
      need(sums, this.pieces.linear * width, FLOAT_BYTES),
      this.#rows,
      width,
      this.#model.sequenceLength,
    );
  }

  #tables({ cosines, sines }: { cosines: View; sines: View }): readonly [View, View] {
    const size = this.#model.sequenceLength * rotaryHalf(this.#model);
    return [need(cosines, size, FLOAT_BYTES), need(sines, size, FLOAT_BYTES)];
  }

  /** Totals of partial column sums, joined to what stands in the target or instead of it. */
  sumColumns({ partial, pieces, width, target, also }: ColumnSums, accumulate: boolean): void {
    this.#device.launch(
      this.#kernels.sum_columns,
      { grid: Math.ceil(width / LANES), block: LANES * 32 },
      need(partial, pieces * width, FLOAT_BYTES),
      need(target, width, FLOAT_BYTES),
      also === undefined ? NOTHING : need(also, width, FLOAT_BYTES),
      pieces,
      width,
      accumulate ? 1 : 0,
    );
  }
}
