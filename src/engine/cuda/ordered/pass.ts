/** The forward and backward pass of a micro-batch, in the order of docs/arithmetic.md §4 and §5. */
import { type ModelConfig, parameterCount } from "../../../model/config.ts";
import { rotaryHalf } from "../../ordered/rotary_tables.ts";
import type { View } from "../driver/view.ts";
import { floatsOf } from "../views.ts";
import { Attention } from "./attention.ts";
import type { Buffers } from "./buffers.ts";
import type { OrderedKernels } from "./kernels.ts";
import type { OrderedMemory } from "./memory.ts";
import { type ModelTensors, modelTensors, type Tensor } from "../../../model/model_tensors.ts";

/** Where a micro-batch's gradients go. */
export interface GradientTarget {
  /** gradient blocks in the micro-batch, one flat gradient after the other */
  readonly gradients: View;
  readonly blocks: number;
  readonly sequencesPerBlock: number;
  /** rows by block and token; see `EmbeddingIndex` */
  readonly index: { readonly ids: View; readonly starts: View; readonly rows: View; readonly count: number };
}

type LayerBuffers = Buffers["layers"][number];

/** Passes over one session's buffers. */
export class OrderedPass {
  readonly #kernels: OrderedKernels;
  readonly #model: ModelConfig;
  readonly #buffers: Buffers;
  readonly #tensors: ModelTensors;
  readonly #attention: Attention;
  readonly #parameters: number;

  constructor(kernels: OrderedKernels, model: ModelConfig, buffers: Buffers, memory: OrderedMemory) {
    this.#kernels = kernels;
    this.#model = model;
    this.#buffers = buffers;
    this.#tensors = modelTensors(model);
    this.#attention = new Attention(kernels, model, buffers.regions, memory.scoreProblems);
    this.#parameters = parameterCount(model);
  }

  /**
   * Logits (sequences · T, V) of the sequences whose tokens are at hand.
   *
   * @param training keeps GELU's derivative for the backward pass
   */
  forward(sequences: number, training: boolean): void {
    const k = this.#kernels;
    const { hiddenSize: h, intermediateSize: m, sequenceLength: length, vocabularySize, layerNormEpsilon } =
      this.#model;
    const { regions, layers } = this.#buffers;
    const rows = sequences * length;
    k.gatherRows(this.#weight(this.#tensors.embedding), regions.tokens, regions.residual, sequences, length, h);
    this.#tensors.layers.forEach((tensors, index) => {
      const layer = layers[index] as LayerBuffers;
      k.normalize(regions.residual, layer.normalized, layer.rstds, rows, h, layerNormEpsilon);

      this.#layerInput(layer, tensors.attentionGain, tensors.attentionShift, rows);
      this.#project(regions.layerInput, tensors.queryKeyValue, layer.queryKeyValue, 3 * h, h, rows, {
        bias: tensors.queryKeyValueBias,
      });
      this.#rotate(layer.queryKeyValue, rows, 1);
      this.#attention.forward(layer.queryKeyValue, layer.attentionOutput, sequences);

      this.#layerInput(layer, tensors.mlpGain, tensors.mlpShift, rows);
      this.#project(regions.layerInput, tensors.mlpIn, layer.activation, m, h, rows, { bias: tensors.mlpInBias });
      k.gelu(layer.activation, training ? layer.activationDerivative : undefined, rows * m);

      // One chain over the attention's features and then the MLP's, then both biases, then the residual.
      this.#project(layer.attentionOutput, tensors.attentionOut, regions.update, h, h, rows);
      this.#project(layer.activation, tensors.mlpOut, regions.update, h, m, rows, { joins: true });
      const [first, second] = [tensors.attentionOutBias, tensors.mlpOutBias].map((bias) => this.#weight(bias));
      k.joinResidual(regions.residual, regions.update, first as View, second as View, rows, h);
    });
    k.normalize(regions.residual, regions.finalNormalized, regions.finalRstds, rows, h, layerNormEpsilon);
    const { finalGain, finalShift, head } = this.#tensors;
    k.scaleAndShift(
      regions.finalNormalized,
      this.#weight(finalGain),
      this.#weight(finalShift),
      regions.layerInput,
      rows,
      h,
    );
    this.#project(regions.layerInput, head, regions.logits, vocabularySize, h, rows);
  }

  /** Summed losses of the sequences, into `sums`; with a weight the logits become their gradient. */
  loss(sequences: number, weight: number, sums: View): void {
    const { sequenceLength: length, vocabularySize } = this.#model;
    const { logits, tokens, tokenLosses } = this.#buffers.regions;
    this.#kernels.crossEntropy(logits, tokens, tokenLosses, sequences, length, vocabularySize, weight);
    this.#kernels.sequenceLosses(tokenLosses, sums, sequences, length);
  }

  /** The gradient of every block of a micro-batch after `forward` and `loss`. */
  backward(target: GradientTarget): void {
    const k = this.#kernels;
    const { hiddenSize: h, sequenceLength: length, vocabularySize } = this.#model;
    const { regions } = this.#buffers;
    const { embedding, finalGain, finalShift, head, layers } = this.#tensors;
    const rows = target.blocks * target.sequencesPerBlock * length;
    const { residualGradient, workA, workB } = regions;

    // The final norm's output is still in `layerInput`.
    this.#weightGradient(target, regions.logits, regions.layerInput, head, vocabularySize, h);
    this.#projectBack(regions.logits, head, workA, vocabularySize, h, rows);
    this.#normGradients(target, workA, regions.finalNormalized, finalGain, finalShift);
    k.scaleGradient({ dy: workA, gamma: this.#weight(finalGain) }, undefined, workB, rows, h);
    k.fillZero(residualGradient, rows * h);
    k.normalizeBackward(workB, regions.finalNormalized, regions.finalRstds, residualGradient, rows, h);
    for (let index = layers.length - 1; index >= 0; index--) this.#layerBackward(target, index, rows);

    for (let block = 0; block < target.blocks; block++) {
      k.fillZero(
        floatsOf(target.gradients, block * this.#parameters + embedding.offset, embedding.size),
        embedding.size,
      );
    }
    const table = this.#gradient(target, embedding);
    k.scatterRows(residualGradient, target.index, table, h, this.#parameters);
  }

  #layerBackward(target: GradientTarget, index: number, rows: number): void {
    const k = this.#kernels;
    const { hiddenSize: h, intermediateSize: m } = this.#model;
    const { regions, layers } = this.#buffers;
    const layer = layers[index] as LayerBuffers;
    const tensors = this.#tensors.layers[index] as ModelTensors["layers"][number];
    const { residualGradient, workA, workB, workC, activationGradient, queryKeyValueGradient, layerInput } = regions;

    // Both branches end in the residual stream: the same gradient reaches both biases.
    this.#columnSums(target, residualGradient, tensors.attentionOutBias, h, { twin: tensors.mlpOutBias });

    // MLP: dY2 (rows, h) in workA.
    this.#weightGradient(target, residualGradient, layer.activation, tensors.mlpOut, h, m);
    this.#projectBack(residualGradient, tensors.mlpOut, activationGradient, h, m, rows);
    k.multiplyInto(activationGradient, layer.activationDerivative, rows * m);
    this.#layerInput(layer, tensors.mlpGain, tensors.mlpShift, rows);
    this.#weightGradient(target, activationGradient, layerInput, tensors.mlpIn, m, h);
    this.#columnSums(target, activationGradient, tensors.mlpInBias, m);
    this.#projectBack(activationGradient, tensors.mlpIn, workA, m, h, rows);

    // Attention: dO (rows, heads, d) in workB, then dY1 (rows, h) in workC.
    this.#weightGradient(target, residualGradient, layer.attentionOutput, tensors.attentionOut, h, h);
    this.#projectBack(residualGradient, tensors.attentionOut, workB, h, h, rows);
    const sequences = target.blocks * target.sequencesPerBlock;
    this.#attention.backward(layer.queryKeyValue, layer.attentionOutput, workB, queryKeyValueGradient, sequences);
    this.#rotate(queryKeyValueGradient, rows, -1);
    this.#layerInput(layer, tensors.attentionGain, tensors.attentionShift, rows);
    this.#weightGradient(target, queryKeyValueGradient, layerInput, tensors.queryKeyValue, 3 * h, h);
    this.#columnSums(target, queryKeyValueGradient, tensors.queryKeyValueBias, 3 * h);
    this.#projectBack(queryKeyValueGradient, tensors.queryKeyValue, workC, 3 * h, h, rows);

    // The two LayerNorms share x̂: dx̂ = fma(dY2, γ2, dY1 · γ1) in workB.
    this.#normGradients(target, workC, layer.normalized, tensors.attentionGain, tensors.attentionShift);
    this.#normGradients(target, workA, layer.normalized, tensors.mlpGain, tensors.mlpShift);
    k.scaleGradient(
      { dy: workC, gamma: this.#weight(tensors.attentionGain) },
      { dy: workA, gamma: this.#weight(tensors.mlpGain) },
      workB,
      rows,
      h,
    );
    k.normalizeBackward(workB, layer.normalized, layer.rstds, residualGradient, rows, h);
  }

  #weight({ offset, size }: Tensor): View {
    return floatsOf(this.#buffers.regions.weights, offset, size);
  }

  /** A tensor's gradient in the first block, and what lies behind it. */
  #gradient({ gradients }: GradientTarget, { offset }: Tensor): View {
    return floatsOf(gradients, offset, gradients.bytes / 4 - offset);
  }

  /** y = fma(x̂, γ, β) of a layer's input, into `layerInput`. */
  #layerInput(layer: LayerBuffers, gain: Tensor, shift: Tensor, rows: number): void {
    const { layerInput } = this.#buffers.regions;
    const { hiddenSize } = this.#model;
    this.#kernels.scaleAndShift(
      layer.normalized,
      this.#weight(gain),
      this.#weight(shift),
      layerInput,
      rows,
      hiddenSize,
    );
  }

  #rotate(qkv: View, rows: number, sign: 1 | -1): void {
    const { sequenceLength: length, heads, hiddenSize } = this.#model;
    const shape = { rows, length, heads, headSize: hiddenSize / heads };
    this.#kernels.rotate(qkv, this.#buffers.regions, shape, rotaryHalf(this.#model), sign);
  }

  /** Y (rows, out) = X (rows, in) · Wᵀ, then + bias; continues Y's chains if it `joins`. */
  #project(
    x: View,
    weight: Tensor,
    y: View,
    out: number,
    input: number,
    rows: number,
    { bias, joins = false }: { bias?: Tensor; joins?: boolean } = {},
  ): void {
    this.#kernels.matmul({
      layout: "nt",
      m: rows,
      n: out,
      k: input,
      a: { view: x, rowStride: input },
      b: { view: this.#weight(weight), rowStride: input },
      c: { view: y, rowStride: out },
      joins,
      bias: bias === undefined ? undefined : this.#weight(bias),
    });
  }

  /** dX (rows, in) = dY (rows, out) · W. */
  #projectBack(dy: View, weight: Tensor, dx: View, out: number, input: number, rows: number): void {
    this.#kernels.matmul({
      layout: "nn",
      m: rows,
      n: input,
      k: out,
      a: { view: dy, rowStride: out },
      b: { view: this.#weight(weight), rowStride: input },
      c: { view: dx, rowStride: input },
    });
  }

  /** dW (out, in) of each block: one chain over the tokens of its sequences, dYᵀ · X. */
  #weightGradient(target: GradientTarget, dy: View, x: View, weight: Tensor, out: number, input: number): void {
    const tokens = target.sequencesPerBlock * this.#model.sequenceLength;
    this.#kernels.matmul({
      layout: "tn",
      m: out,
      n: input,
      k: tokens,
      a: { view: dy, rowStride: out, strides: [tokens * out, 0] },
      b: { view: x, rowStride: input, strides: [tokens * input, 0] },
      c: { view: this.#gradient(target, weight), rowStride: input, strides: [this.#parameters, 0] },
      problems: [target.blocks, 1],
    });
  }

  #columnSums(
    target: GradientTarget,
    dy: View,
    sums: Tensor,
    width: number,
    { normalized, twin }: { normalized?: View; twin?: Tensor } = {},
  ): void {
    const { blocks, sequencesPerBlock } = target;
    const shape = { blocks, sequencesPerBlock, length: this.#model.sequenceLength, width, stride: this.#parameters };
    this.#kernels.columnSums({
      dy,
      pieces: this.#buffers.regions.columnPieces,
      sums: this.#gradient(target, sums),
      normalized,
      twin: twin === undefined ? undefined : this.#gradient(target, twin),
    }, shape);
  }

  /** dγ and dβ of a LayerNorm from the gradient of its output. */
  #normGradients(target: GradientTarget, dy: View, normalized: View, gain: Tensor, shift: Tensor): void {
    this.#columnSums(target, dy, gain, this.#model.hiddenSize, { normalized });
    this.#columnSums(target, dy, shift, this.#model.hiddenSize);
  }
}
