/** Backward pass of one sequence, docs/arithmetic.md §5: adds to the gradient of its gradient block. */
import type { ModelConfig } from "../../src/model/config.ts";
import {
  type Activations,
  attentionScale,
  headPart,
  type LayerActivations,
  type Normalised,
  rotate,
  type SequenceLoss,
} from "./forward.ts";
import { gelu } from "./functions.ts";
import {
  addColumnSums,
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

/** dγ and dβ of a LayerNorm from the gradient of its output. */
function addNormGradient(gradient: Norm, { unit }: Normalised, outputGradient: Matrix): void {
  const { rows } = outputGradient;
  addColumnSums(gradient.gain, rows, (t, i) => fround(at(outputGradient, t, i) * at(unit, t, i)));
  addColumnSums(gradient.offset, rows, (t, i) => at(outputGradient, t, i));
}

/** Through a normalisation: from g, the gradient of x̂, into dR. */
function addThroughNorm(residualGradient: Matrix, { unit, rstd }: Normalised, g: Matrix): void {
  const h = g.columns;
  for (let t = 0; t < g.rows; t++) {
    const c = fround(laneSum(h, (sum, i) => fround(sum + at(g, t, i))) / h);
    const p = fround(laneSum(h, (sum, i) => fma(at(g, t, i), at(unit, t, i), sum)) / h);
    for (let i = 0; i < h; i++) {
      const inner = fma(-at(unit, t, i), p, fround(at(g, t, i) - c));
      put(residualGradient, t, i, fma(rstd[t]!, inner, at(residualGradient, t, i)));
    }
  }
}

/** d(QKV), (T, 3h), not yet rotated back, from dO, (T, h). */
function attentionGradient(config: ModelConfig, saved: LayerActivations, outputGradient: Matrix): Matrix {
  const d = config.hiddenSize / config.heads;
  const length = outputGradient.rows;
  const scale = attentionScale(d);
  const gradient = matrix(length, 3 * config.hiddenSize);
  saved.probabilities.forEach((probabilities, head) => {
    const [query, key, value] = ([0, 1, 2] as const).map((part) => headPart(saved.queryKeyValue, config, head, part));
    const [dQuery, dKey, dValue] = ([0, 1, 2] as const).map((part) => headPart(gradient, config, head, part));
    const dOutput = columns(outputGradient, head * d, d);
    const output = columns(saved.attentionOutput, head * d, d);
    const dProbabilities = product(dOutput, transpose(value!));
    const delta = Array.from(
      { length },
      (_, i) => laneSum(d, (sum, e) => fma(at(dOutput, i, e), at(output, i, e), sum)),
    );
    const dScores = build(
      length,
      length,
      (i, j) =>
        j > i ? 0 : fround(fround(at(probabilities, i, j) * fround(at(dProbabilities, i, j) - delta[i]!)) * scale),
    );
    addProduct(dValue!, transpose(probabilities), dOutput);
    addProduct(dQuery!, dScores, key!);
    addProduct(dKey!, transpose(dScores), query!);
  });
  return gradient;
}

/** One layer: adds to `gradient`, and to dR in place. */
function backwardLayer(
  config: ModelConfig,
  layer: LayerParameters,
  saved: LayerActivations,
  gradient: LayerParameters,
  residualGradient: Matrix,
): void {
  const { rows } = residualGradient;
  const outputBias = (t: number, i: number) => at(residualGradient, t, i);
  addColumnSums(gradient.attentionDense.bias, rows, outputBias);
  addColumnSums(gradient.mlpOut.bias, rows, outputBias);

  addProduct(gradient.mlpOut.weight, transpose(residualGradient), saved.mlpActivated);
  const dActivated = product(residualGradient, layer.mlpOut.weight);
  const dHidden = build(
    rows,
    dActivated.columns,
    (t, i) => fround(at(dActivated, t, i) * gelu(at(saved.mlpHidden, t, i)).derivative),
  );
  addProduct(gradient.mlpIn.weight, transpose(dHidden), saved.mlpInput);
  addColumnSums(gradient.mlpIn.bias, rows, (t, i) => at(dHidden, t, i));
  const dMlpInput = product(dHidden, layer.mlpIn.weight);

  addProduct(gradient.attentionDense.weight, transpose(residualGradient), saved.attentionOutput);
  const dAttentionOutput = product(residualGradient, layer.attentionDense.weight);
  const dQueryKeyValue = attentionGradient(config, saved, dAttentionOutput);
  rotate(dQueryKeyValue, config, -1);
  addProduct(gradient.queryKeyValue.weight, transpose(dQueryKeyValue), saved.attentionInput);
  addColumnSums(gradient.queryKeyValue.bias, rows, (t, i) => at(dQueryKeyValue, t, i));
  const dAttentionInput = product(dQueryKeyValue, layer.queryKeyValue.weight);

  addNormGradient(gradient.inputNorm, saved.norm, dAttentionInput);
  addNormGradient(gradient.postAttentionNorm, saved.norm, dMlpInput);
  const g = build(rows, config.hiddenSize, (t, i) => {
    const fromAttention = fround(at(dAttentionInput, t, i) * layer.inputNorm.gain[i]!);
    return fma(at(dMlpInput, t, i), layer.postAttentionNorm.gain[i]!, fromAttention);
  });
  addThroughNorm(residualGradient, saved.norm, g);
}

/**
 * Adds one sequence's gradient to its block's.
 *
 * @param tokens (T + 1)
 * @param tokenWeight w = 1 / (B · T), f32
 */
export function backward(
  config: ModelConfig,
  weights: Parameters,
  tokens: Uint16Array,
  saved: Activations,
  { exponentials, sums }: SequenceLoss,
  tokenWeight: number,
  gradient: Parameters,
): void {
  const { rows, columns: vocabulary } = saved.logits;
  const dLogits = build(rows, vocabulary, (t, v) => {
    const probability = fround(at(exponentials, t, v) / sums[t]!);
    return fround((v === tokens[t + 1] ? fround(probability - 1) : probability) * tokenWeight);
  });
  addProduct(gradient.embedOut, transpose(dLogits), saved.headInput);
  const dHeadInput = product(dLogits, weights.embedOut);

  addNormGradient(gradient.finalNorm, saved.finalNorm, dHeadInput);
  const residualGradient = matrix(rows, config.hiddenSize);
  const gain = weights.finalNorm.gain;
  const g = build(rows, config.hiddenSize, (t, i) => fround(at(dHeadInput, t, i) * gain[i]!));
  addThroughNorm(residualGradient, saved.finalNorm, g);

  for (let l = config.layers - 1; l >= 0; l--) {
    backwardLayer(config, weights.layers[l]!, saved.layers[l]!, gradient.layers[l]!, residualGradient);
  }
  for (let t = 0; t < rows; t++) {
    const row = tokens[t]!;
    for (let i = 0; i < config.hiddenSize; i++) {
      put(gradient.embedIn, row, i, fround(at(gradient.embedIn, row, i) + at(residualGradient, t, i)));
    }
  }
}
