/** The forward pass of a gradient block, docs/arithmetic.md §4 with 16-bit factors. */
import type { View } from "../driver/view.ts";
import { HALF_BYTES, halvesOf } from "../views.ts";
import { slice } from "../driver/view.ts";
import type { RowRange } from "./classifier.ts";
import type { PassContext } from "./pass.ts";

/**
 * From tokens to the input of the output head.
 *
 * @param training keeps what the backward pass needs
 */
export function forward(pass: PassContext, tokens: View, training: boolean): void {
  const { rows, model, tensors, buffers } = pass;
  const { regions } = buffers;
  carryBiases(pass);
  rows.embed(tokens, pass.weight(tensors.embedding), regions.residual);
  for (let index = 0; index < model.layers; index++) {
    if (training && pass.recomputes) pass.device.copy(pass.layerInput(index), regions.residual);
    layerForward(pass, index, regions.residual);
    joinResidual(pass, index);
  }
  const { finalNormalized: normalized, finalRstds: rstds, headInput: y } = regions;
  rows.normalize(
    { residual: regions.residual, carried: pass.carriedBiases(model.layers) },
    [{ ...pass.norm(tensors.finalGain, tensors.finalShift), y }],
    { normalized, rstds },
  );
}

/** The output biases never join the residual stream: each LayerNorm adds those of all layers below. */
function carryBiases({ rows, tensors, buffers }: PassContext): void {
  const [first, second] = tensors.layers;
  if (first === undefined) throw new RangeError("A model has layers");
  const { attentionOutBias, mlpOutBias } = first;
  const layerStride = second === undefined ? 0 : second.attentionOutBias.offset - attentionOutBias.offset;
  const biases = { attention: attentionOutBias.offset, mlp: mlpOutBias.offset, layerStride };
  rows.carryBiases(buffers.regions.weights, biases, buffers.regions.carriedBiases);
}

/** A layer's activations from the residual stream, which stays as it is. */
export function layerForward(pass: PassContext, index: number, residual: View): void {
  const { rows, matmuls, shapes } = pass;
  const layer = pass.layer(index), tensors = pass.layerTensors(index);
  rows.normalize(
    { residual, carried: pass.carriedBiases(index) },
    [
      { ...pass.norm(tensors.attentionGain, tensors.attentionShift), y: layer.attentionInput },
      { ...pass.norm(tensors.mlpGain, tensors.mlpShift), y: layer.mlpInput },
    ],
    layer,
  );
  matmuls.run(shapes.queryKeyValue.forward, {
    a: layer.attentionInput,
    b: pass.roundedWeight(tensors.queryKeyValue),
    c: layer.queryKeyValue,
  });
  rows.rotary(layer.queryKeyValue, pass.weight(tensors.queryKeyValueBias), pass.rotaryTables);
  pass.attention.forward({ ...layer, output: layer.attentionOutput });
  matmuls.run(shapes.mlpIn.forward, { a: layer.mlpInput, b: pass.roundedWeight(tensors.mlpIn), c: layer.hidden });
  rows.gelu(layer.hidden, pass.weight(tensors.mlpInBias), layer.activation);
}

/** Adds what a layer's two branches give to the residual stream, in f32. */
function joinResidual(pass: PassContext, index: number): void {
  const { matmuls, shapes, buffers: { regions } } = pass;
  const layer = pass.layer(index), tensors = pass.layerTensors(index);
  matmuls.run(shapes.attentionOut.forward, {
    a: layer.attentionOutput,
    b: pass.roundedWeight(tensors.attentionOut),
    c: regions.residual,
    accumulate: true,
  });
  matmuls.run(shapes.mlpOut.forward, {
    a: layer.activation,
    b: pass.roundedWeight(tensors.mlpOut),
    c: regions.residual,
    accumulate: true,
  });
}

/** Logits (count, V) of some rows of the pass, and the rows' part of the head's input. */
export function headForward(pass: PassContext, { first, count }: RowRange): { logits: View; input: View } {
  const { matmuls, shapes, tensors, model, buffers: { regions } } = pass;
  const input = halvesOf(regions.headInput, first * model.hiddenSize, count * model.hiddenSize);
  const logits = slice(regions.logits, 0, count * model.vocabularySize * HALF_BYTES);
  matmuls.run(shapes.head(count).forward, { a: input, b: pass.roundedWeight(tensors.head), c: logits });
  return { logits, input };
}

/** Losses of all rows, and their sum over each window. */
export function losses(pass: PassContext, tokens: View, sums: View): void {
  const { classifier, memory, buffers: { regions } } = pass;
  for (const range of memory.logitRanges) {
    classifier.loss(headForward(pass, range).logits, { tokens, losses: regions.losses }, range);
  }
  classifier.sumLosses(regions.losses, sums);
}
