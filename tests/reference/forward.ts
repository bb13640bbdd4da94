/** Forward pass of one sequence, docs/arithmetic.md §4, with everything that the backward pass needs. */
import type { ModelConfig } from "../../src/model/config.ts";
import { exp, gelu, log, rotaryTables } from "./functions.ts";
import {
  addProduct,
  at,
  build,
  columns,
  fma,
  laneSum,
  type Matrix,
  matrix,
  product,
  put,
  transpose,
} from "./ordered_arithmetic.ts";
import type { LayerParameters, Norm, Parameters } from "./parameters.ts";

const { fround } = Math;

/** A row-wise normalisation: x̂ (T, h) and 1 / √(variance + ε) of every row (T). */
export interface Normalised {
  readonly unit: Matrix;
  readonly rstd: Float32Array;
}

/** What one layer leaves for the backward pass. */
export interface LayerActivations {
  readonly norm: Normalised;
  /** y₁, y₂: (T, h) */
  readonly attentionInput: Matrix;
  readonly mlpInput: Matrix;
  /** rotated, (T, n · 3 · d) */
  readonly queryKeyValue: Matrix;
  /** P of every head, (T, T), +0 where masked */
  readonly probabilities: readonly Matrix[];
  /** O, heads side by side, (T, h) */
  readonly attentionOutput: Matrix;
  /** A and GELU(A), (T, m) */
  readonly mlpHidden: Matrix;
  readonly mlpActivated: Matrix;
}

/** What a sequence leaves for the backward pass. */
export interface Activations {
  readonly layers: readonly LayerActivations[];
  readonly finalNorm: Normalised;
  /** y before the output head, (T, h) */
  readonly headInput: Matrix;
  /** Z, (T, V) */
  readonly logits: Matrix;
}

/** Cross-entropy of one sequence: its summed loss, exp(Z − M) and their row sums. */
export interface SequenceLoss {
  readonly loss: number;
  readonly exponentials: Matrix;
  readonly sums: Float32Array;
}

function normalise(x: Matrix, epsilon: number): Normalised {
  const h = x.columns;
  const unit = matrix(x.rows, h);
  const rstd = new Float32Array(x.rows);
  for (let t = 0; t < x.rows; t++) {
    const mean = fround(laneSum(h, (sum, i) => fround(sum + at(x, t, i))) / h);
    const centred = (i: number) => fround(at(x, t, i) - mean);
    const variance = fround(laneSum(h, (sum, i) => fma(centred(i), centred(i), sum)) / h);
    rstd[t] = fround(1 / fround(Math.sqrt(fround(variance + fround(epsilon)))));
    for (let i = 0; i < h; i++) put(unit, t, i, fround(centred(i) * rstd[t]!));
  }
  return { unit, rstd };
}

function scaleAndShift({ unit }: Normalised, { gain, offset }: Norm): Matrix {
  return build(unit.rows, unit.columns, (t, i) => fma(at(unit, t, i), gain[i]!, offset[i]!));
}

function addBias(x: Matrix, bias: Float32Array): void {
  for (let t = 0; t < x.rows; t++) for (let i = 0; i < x.columns; i++) put(x, t, i, fround(at(x, t, i) + bias[i]!));
}

/** Query, key or value (`part` 0, 1, 2) of one head, (T, d), in a matrix laid out (T, n, 3, d). */
export function headPart(queryKeyValue: Matrix, config: ModelConfig, head: number, part: 0 | 1 | 2): Matrix {
  const d = config.hiddenSize / config.heads;
  return columns(queryKeyValue, (head * 3 + part) * d, d);
}

/** Rotates queries and keys of all heads in place, by the angle of their position times `direction`. */
export function rotate(queryKeyValue: Matrix, config: ModelConfig, direction: 1 | -1): void {
  const { cosine, sine } = rotaryTables(config);
  const half = cosine.columns;
  for (let head = 0; head < config.heads; head++) {
    for (const part of [0, 1] as const) {
      const x = headPart(queryKeyValue, config, head, part);
      for (let t = 0; t < x.rows; t++) {
        for (let i = 0; i < half; i++) {
          const a = at(x, t, i), b = at(x, t, i + half);
          const c = at(cosine, t, i), s = direction * at(sine, t, i);
          put(x, t, i, fma(a, c, -fround(b * s)));
          put(x, t, i + half, fma(b, c, fround(a * s)));
        }
      }
    }
  }
}

/** Attention probabilities of one head, (T, T). */
function attend(query: Matrix, key: Matrix): Matrix {
  const scale = attentionScale(query.columns);
  const scores = product(query, transpose(key));
  const probabilities = matrix(query.rows, query.rows);
  for (let i = 0; i < query.rows; i++) {
    const z = (j: number) => fround(at(scores, i, j) * scale);
    let maximum = -Infinity;
    for (let j = 0; j <= i; j++) maximum = Math.max(maximum, z(j));
    const e = Array.from({ length: i + 1 }, (_, j) => exp(fround(z(j) - maximum)));
    const sum = laneSum(i + 1, (lane, j) => fround(lane + e[j]!));
    for (let j = 0; j <= i; j++) put(probabilities, i, j, fround(e[j]! / sum));
  }
  return probabilities;
}

/** 1 / √d, rounded once to f32. */
export function attentionScale(headDimension: number): number {
  return fround(1 / Math.sqrt(headDimension));
}

/** One layer: adds to the residual stream in place. */
function forwardLayer(config: ModelConfig, layer: LayerParameters, residual: Matrix): LayerActivations {
  const norm = normalise(residual, config.layerNormEpsilon);
  const attentionInput = scaleAndShift(norm, layer.inputNorm);
  const mlpInput = scaleAndShift(norm, layer.postAttentionNorm);

  const queryKeyValue = product(attentionInput, transpose(layer.queryKeyValue.weight));
  addBias(queryKeyValue, layer.queryKeyValue.bias);
  rotate(queryKeyValue, config, 1);
  const attentionOutput = matrix(residual.rows, config.hiddenSize);
  const d = config.hiddenSize / config.heads;
  const probabilities = Array.from({ length: config.heads }, (_, head) => {
    const part = (which: 0 | 1 | 2) => headPart(queryKeyValue, config, head, which);
    const weights = attend(part(0), part(1));
    addProduct(columns(attentionOutput, head * d, d), weights, part(2));
    return weights;
  });

  const mlpHidden = product(mlpInput, transpose(layer.mlpIn.weight));
  addBias(mlpHidden, layer.mlpIn.bias);
  const mlpActivated = build(mlpHidden.rows, mlpHidden.columns, (t, i) => gelu(at(mlpHidden, t, i)).value);

  const update = product(attentionOutput, transpose(layer.attentionDense.weight));
  addProduct(update, mlpActivated, transpose(layer.mlpOut.weight));
  addBias(update, layer.attentionDense.bias);
  addBias(update, layer.mlpOut.bias);
  for (let t = 0; t < residual.rows; t++) {
    for (let i = 0; i < residual.columns; i++) put(residual, t, i, fround(at(residual, t, i) + at(update, t, i)));
  }
  return { norm, attentionInput, mlpInput, queryKeyValue, probabilities, attentionOutput, mlpHidden, mlpActivated };
}

/** From the first `sequenceLength` tokens to their logits. */
export function forward(config: ModelConfig, weights: Parameters, tokens: Uint16Array): Activations {
  const residual = build(config.sequenceLength, config.hiddenSize, (t, i) => at(weights.embedIn, tokens[t]!, i));
  const layers = weights.layers.map((layer) => forwardLayer(config, layer, residual));
  const finalNorm = normalise(residual, config.layerNormEpsilon);
  const headInput = scaleAndShift(finalNorm, weights.finalNorm);
  return { layers, finalNorm, headInput, logits: product(headInput, transpose(weights.embedOut)) };
}

/** Cross-entropy against the tokens one place on; tokens: (T + 1). */
export function sequenceLoss(logits: Matrix, tokens: Uint16Array): SequenceLoss {
  const { rows: length, columns: vocabulary } = logits;
  const exponentials = matrix(length, vocabulary);
  const sums = new Float32Array(length);
  const losses = new Float32Array(length);
  for (let t = 0; t < length; t++) {
    let maximum = -Infinity;
    for (let v = 0; v < vocabulary; v++) maximum = Math.max(maximum, at(logits, t, v));
    for (let v = 0; v < vocabulary; v++) put(exponentials, t, v, exp(fround(at(logits, t, v) - maximum)));
    sums[t] = laneSum(vocabulary, (lane, v) => fround(lane + at(exponentials, t, v)));
    losses[t] = fround(log(sums[t]!) - fround(at(logits, t, tokens[t + 1]!) - maximum));
  }
  return { loss: laneSum(length, (lane, t) => fround(lane + losses[t]!)), exponentials, sums };
}
