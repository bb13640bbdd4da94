/**
 * Forward and backward pass of one sequence, as calls of the kernels in the order that docs/arithmetic.md fixes.
 * Shapes: T tokens, h hidden, m intermediate, V vocabulary, d head dimension. Addresses are bytes.
 */
import type { ModelConfig } from "../../model/config.ts";
import { type LayerTensors, type ModelTensors, modelTensors, type Tensor } from "../../model/model_tensors.ts";
import { type Address, type Kernels, SHAPE } from "./kernels.ts";
import { type GradientBlock, joinedTensors } from "./gradient_block.ts";
import { rotaryHalf } from "../ordered/rotary_tables.ts";
import type { Arena, LayerActivations, Layout } from "./layout.ts";

const FLOAT = 4;

/** Address of a tensor in a flat parameter or gradient vector that starts at `base`. */
function at(base: Address, { offset }: Tensor): Address {
  return base + offset * FLOAT;
}

/** The passes of one thread over its arena. */
export class SequencePass {
  readonly #kernels: Kernels;
  readonly #model: ModelConfig;
  readonly #layout: Layout;
  readonly #arena: Arena;
  readonly #headSize: number;
  readonly #scale: number;
  readonly #tensors: ModelTensors;
  readonly #joined: readonly Tensor[];

  constructor(kernels: Kernels, model: ModelConfig, layout: Layout, arena: Arena) {
    this.#kernels = kernels;
    this.#model = model;
    this.#layout = layout;
    this.#arena = arena;
    this.#headSize = model.hiddenSize / model.heads;
    this.#scale = Math.fround(1 / Math.sqrt(this.#headSize));
    this.#tensors = modelTensors(model);
    this.#joined = joinedTensors(this.#tensors);
  }

  /** Leaves the logits (T, V) of a window's first T tokens in the arena. */
  forward(tokens: Address): void {
    this.#forward(tokens, false);
  }

  /**
   * Cross-entropy summed over a window's T targets.
   *
   * @param tokens address of u16 (T + 1)
   */
  evaluate(tokens: Address): number {
    this.#forward(tokens, false);
    return this.#crossEntropy(tokens, 0);
  }

  /**
   * Loss of a window, and its gradient joined to that of its block.
   *
   * @param gradient address of the flat gradient of the window's block
   * @param first whether the window is the block's first: what stands at `gradient` is then overwritten
   * @param weight what each token's loss counts: 1 / (tokens of the step), f32
   */
  train(tokens: Address, gradient: Address, first: boolean, weight: number): number {
    if (first) { for (const tensor of this.#joined) this.#kernels.fill(at(gradient, tensor), tensor.size, 0); }
    this.#forward(tokens, true);
    const loss = this.#crossEntropy(tokens, weight);
    this.#backward(tokens, { address: gradient, fresh: first });
    return loss;
  }

  #crossEntropy(tokens: Address, weight: number): number {
    const { sequenceLength, vocabularySize } = this.#model;
    const { logits, losses } = this.#arena;
    return this.#kernels.crossEntropy(logits, tokens + 2, losses, sequenceLength, vocabularySize, weight);
  }

  /** Y (T, out) = X (T, in) · Wᵀ, W (out, in); continues Y's chains unless `fresh`. */
  #project(x: Address, weight: Address, y: Address, out: number, input: number, fresh = true): void {
    this.#kernels.matmulNT(
      this.#model.sequenceLength,
      out,
      input,
      x,
      input * FLOAT,
      weight,
      input * FLOAT,
      y,
      out * FLOAT,
      this.#arena.panel,
      SHAPE.full,
      fresh,
    );
  }

  /** dX (T, in) = dY (T, out) · W. */
  #projectBack(dy: Address, weight: Address, dx: Address, out: number, input: number): void {
    this.#kernels.matmulNN(
      this.#model.sequenceLength,
      input,
      out,
      dy,
      out * FLOAT,
      weight,
      input * FLOAT,
      dx,
      input * FLOAT,
      this.#arena.panel,
      SHAPE.full,
      true,
    );
  }

  /** dW (out, in) continues its chains, or starts them, over this sequence's tokens: dYᵀ · X. */
  #weightGradient(dy: Address, x: Address, weight: Tensor, out: number, input: number, block: GradientBlock): void {
    this.#kernels.matmulTN(
      out,
      input,
      this.#model.sequenceLength,
      dy,
      out * FLOAT,
      x,
      input * FLOAT,
      at(block.address, weight),
      input * FLOAT,
      this.#arena.panel,
      SHAPE.full,
      block.fresh,
    );
  }

  #forward(tokens: Address, training: boolean): void {
    const k = this.#kernels;
    const { hiddenSize: h, intermediateSize: m, sequenceLength: rows, vocabularySize, layerNormEpsilon } = this.#model;
    const { weights } = this.#layout;
    const arena = this.#arena;

    k.gatherRows(at(weights, this.#tensors.embedding), tokens, arena.residual, rows, h);
    this.#tensors.layers.forEach((tensors, index) => {
      const layer = this.#layerActivations(index);
      k.normalize(arena.residual, layer.normalized, layer.rstds, rows, h, layerNormEpsilon);
      const scaleAndShift = (gain: Tensor, shift: Tensor, y: Address) =>
        k.scaleAndShift(layer.normalized, at(weights, gain), at(weights, shift), y, rows, h);

      scaleAndShift(tensors.attentionGain, tensors.attentionShift, layer.attentionInput);
      this.#project(layer.attentionInput, at(weights, tensors.queryKeyValue), layer.queryKeyValue, 3 * h, h);
      k.addBias(layer.queryKeyValue, at(weights, tensors.queryKeyValueBias), rows, 3 * h);
      this.#rotate(layer.queryKeyValue, 1);
      this.#attend(layer);

      scaleAndShift(tensors.mlpGain, tensors.mlpShift, layer.mlpInput);
      this.#project(layer.mlpInput, at(weights, tensors.mlpIn), layer.activation, m, h);
      k.addBias(layer.activation, at(weights, tensors.mlpInBias), rows, m);
      if (training) k.gelu(layer.activation, layer.activationDerivative, rows * m);
      else k.geluForward(layer.activation, rows * m);

      // One chain over the attention's features and then the MLP's, then both biases, then the residual.
      this.#project(layer.attentionOutput, at(weights, tensors.attentionOut), arena.workA, h, h);
      this.#project(layer.activation, at(weights, tensors.mlpOut), arena.workA, h, m, false);
      k.addBias(arena.workA, at(weights, tensors.attentionOutBias), rows, h);
      k.addBias(arena.workA, at(weights, tensors.mlpOutBias), rows, h);
      k.add(arena.residual, arena.workA, rows * h);
    });

    k.normalize(arena.residual, arena.finalNormalized, arena.finalRstds, rows, h, layerNormEpsilon);
    k.scaleAndShift(
      arena.finalNormalized,
      at(weights, this.#tensors.finalGain),
      at(weights, this.#tensors.finalShift),
      arena.headInput,
      rows,
      h,
    );
    this.#project(arena.headInput, at(weights, this.#tensors.head), arena.logits, vocabularySize, h);
  }

  #layerActivations(index: number): LayerActivations {
    const layer = this.#arena.layers[index];
    if (layer === undefined) throw new RangeError(`No layer ${index}`);
    return layer;
  }

  #rotate(queryKeyValue: Address, sign: 1 | -1): void {
    const { sequenceLength, heads } = this.#model;
    const { cosines, sines } = this.#layout;
    const half = rotaryHalf(this.#model);
    this.#kernels.rotate(queryKeyValue, cosines, sines, sequenceLength, heads, this.#headSize, half, sign);
  }

  /** Address of a head's query in (T, heads, 3, d); its key and value follow d and 2d elements later. */
  #query(queryKeyValue: Address, head: number): Address {
    return queryKeyValue + head * 3 * this.#headSize * FLOAT;
  }

  #probabilities(layer: LayerActivations, head: number): Address {
    if (!this.#layout.keepProbabilities) return layer.probabilities;
    return layer.probabilities + head * this.#model.sequenceLength ** 2 * FLOAT;
  }

  /** P (T, T) = softmax(Q · Kᵀ · scale) under the causal mask. */
  #computeProbabilities(layer: LayerActivations, head: number): Address {
    const { sequenceLength: rows, hiddenSize } = this.#model;
    const rowBytes = 3 * hiddenSize * FLOAT;
    const query = this.#query(layer.queryKeyValue, head);
    const probabilities = this.#probabilities(layer, head);
    this.#kernels.matmulNT(
      rows,
      rows,
      this.#headSize,
      query,
      rowBytes,
      query + this.#headSize * FLOAT,
      rowBytes,
      probabilities,
      rows * FLOAT,
      this.#arena.panel,
      SHAPE.lower,
      true,
    );
    this.#kernels.causalSoftmax(probabilities, rows, rows, this.#scale);
    return probabilities;
  }

  /** O (T, heads, d) = P · V, head by head. */
  #attend(layer: LayerActivations): void {
    const { sequenceLength: rows, hiddenSize, heads } = this.#model;
    for (let head = 0; head < heads; head++) {
      const probabilities = this.#computeProbabilities(layer, head);
      this.#kernels.matmulNN(
        rows,
        this.#headSize,
        rows,
        probabilities,
        rows * FLOAT,
        this.#query(layer.queryKeyValue, head) + 2 * this.#headSize * FLOAT,
        3 * hiddenSize * FLOAT,
        layer.attentionOutput + head * this.#headSize * FLOAT,
        hiddenSize * FLOAT,
        this.#arena.panel,
        SHAPE.endsAtRow,
        true,
      );
    }
  }

  #backward(tokens: Address, block: GradientBlock): void {
    const k = this.#kernels;
    const { hiddenSize: h, sequenceLength: rows, vocabularySize } = this.#model;
    const { weights } = this.#layout;
    const gradient = block.address;
    const arena = this.#arena;
    const residualGradient = arena.residualGradient;

    this.#weightGradient(arena.logits, arena.headInput, this.#tensors.head, vocabularySize, h, block);
    this.#projectBack(arena.logits, at(weights, this.#tensors.head), arena.workA, vocabularySize, h);
    k.addColumnSumsOfProducts(arena.workA, arena.finalNormalized, at(gradient, this.#tensors.finalGain), rows, h);
    k.addColumnSums(arena.workA, at(gradient, this.#tensors.finalShift), rows, h);
    k.scaleGradient(arena.workA, at(weights, this.#tensors.finalGain), arena.workB, rows, h, false);
    k.fill(residualGradient, rows * h, 0);
    k.normalizeBackward(arena.workB, arena.finalNormalized, arena.finalRstds, residualGradient, rows, h);

    for (let index = this.#model.layers - 1; index >= 0; index--) this.#layerBackward(index, block);
    k.scatterAddRows(at(gradient, this.#tensors.embedding), tokens, residualGradient, rows, h);
  }

  #layerBackward(index: number, block: GradientBlock): void {
    const k = this.#kernels;
    const { hiddenSize: h, intermediateSize: m, sequenceLength: rows } = this.#model;
    const { weights } = this.#layout;
    const gradient = block.address;
    const arena = this.#arena;
    const layer = this.#layerActivations(index);
    const tensors = this.#tensors.layers[index] as LayerTensors;
    const { residualGradient, workA, workB, workC, activationGradient, queryKeyValueGradient } = arena;

    // Both branches end in the residual stream: the same gradient reaches both biases.
    k.addColumnSums(residualGradient, at(gradient, tensors.attentionOutBias), rows, h);
    k.addColumnSums(residualGradient, at(gradient, tensors.mlpOutBias), rows, h);

    // MLP: dY2 (T, h) in workA.
    this.#weightGradient(residualGradient, layer.activation, tensors.mlpOut, h, m, block);
    this.#projectBack(residualGradient, at(weights, tensors.mlpOut), activationGradient, h, m);
    k.multiply(activationGradient, layer.activationDerivative, rows * m);
    this.#weightGradient(activationGradient, layer.mlpInput, tensors.mlpIn, m, h, block);
    k.addColumnSums(activationGradient, at(gradient, tensors.mlpInBias), rows, m);
    this.#projectBack(activationGradient, at(weights, tensors.mlpIn), workA, m, h);

    // Attention: dO (T, heads, d) in workB, then dY1 (T, h) in workC.
    this.#weightGradient(residualGradient, layer.attentionOutput, tensors.attentionOut, h, h, block);
    this.#projectBack(residualGradient, at(weights, tensors.attentionOut), workB, h, h);
    for (let head = 0; head < this.#model.heads; head++) this.#headBackward(layer, head, workB);
    this.#rotate(queryKeyValueGradient, -1);
    this.#weightGradient(queryKeyValueGradient, layer.attentionInput, tensors.queryKeyValue, 3 * h, h, block);
    k.addColumnSums(queryKeyValueGradient, at(gradient, tensors.queryKeyValueBias), rows, 3 * h);
    this.#projectBack(queryKeyValueGradient, at(weights, tensors.queryKeyValue), workC, 3 * h, h);

    // The two LayerNorms share x̂: dx̂ = fma(dY2, γ2, dY1 · γ1) in workB.
    k.addColumnSumsOfProducts(workC, layer.normalized, at(gradient, tensors.attentionGain), rows, h);
    k.addColumnSums(workC, at(gradient, tensors.attentionShift), rows, h);
    k.addColumnSumsOfProducts(workA, layer.normalized, at(gradient, tensors.mlpGain), rows, h);
    k.addColumnSums(workA, at(gradient, tensors.mlpShift), rows, h);
    k.scaleGradient(workC, at(weights, tensors.attentionGain), workB, rows, h, false);
    k.scaleGradient(workA, at(weights, tensors.mlpGain), workB, rows, h, true);
    k.normalizeBackward(workB, layer.normalized, layer.rstds, residualGradient, rows, h);
  }

  /** dQ, dK and dV of a head from dO. */
  #headBackward(layer: LayerActivations, head: number, outputGradient: Address): void {
    const k = this.#kernels;
    const { sequenceLength: rows, hiddenSize } = this.#model;
    const { scoreGradient, panel, queryKeyValueGradient } = this.#arena;
    const d = this.#headSize;
    const rowBytes = hiddenSize * FLOAT, fusedBytes = 3 * rowBytes, scoreBytes = rows * FLOAT;
    const query = this.#query(layer.queryKeyValue, head);
    const key = query + d * FLOAT, value = key + d * FLOAT;
    const dQuery = this.#query(queryKeyValueGradient, head);
    const dKey = dQuery + d * FLOAT, dValue = dKey + d * FLOAT;
    const output = layer.attentionOutput + head * d * FLOAT;
    const dOutput = outputGradient + head * d * FLOAT;
    const p = this.#layout.keepProbabilities
      ? this.#probabilities(layer, head)
      : this.#computeProbabilities(layer, head);

    // dP (T, T) = dO · Vᵀ; dV (T, d) = Pᵀ · dO
    k.matmulNT(
      rows,
      rows,
      d,
      dOutput,
      rowBytes,
      value,
      fusedBytes,
      scoreGradient,
      scoreBytes,
      panel,
      SHAPE.lower,
      true,
    );
    k.matmulTN(rows, d, rows, p, scoreBytes, dOutput, rowBytes, dValue, fusedBytes, panel, SHAPE.startsAtRow, true);
    k.causalSoftmaxBackward(p, scoreGradient, output, dOutput, rowBytes, rows, rows, d, this.#scale);
    // dQ (T, d) = dS · K; dK (T, d) = dSᵀ · Q
    k.matmulNN(
      rows,
      d,
      rows,
      scoreGradient,
      scoreBytes,
      key,
      fusedBytes,
      dQuery,
      fusedBytes,
      panel,
      SHAPE.endsAtRow,
      true,
    );
    k.matmulTN(
      rows,
      d,
      rows,
      scoreGradient,
      scoreBytes,
      query,
      fusedBytes,
      dKey,
      fusedBytes,
      panel,
      SHAPE.startsAtRow,
      true,
    );
  }
}
