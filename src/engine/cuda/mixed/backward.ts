/** The backward pass of a gradient block, docs/arithmetic.md §5 with 16-bit factors. */
import type { View } from "../driver/view.ts";
import type { Tensor } from "../../../model/model_tensors.ts";
import { headForward, layerForward } from "./forward.ts";
import type { GradientTarget } from "./gradient_tree.ts";
import type { PassInput } from "./pass_input.ts";
import type { PassContext } from "./pass.ts";
import type { LinearShapes } from "./matmul_shapes.ts";
import { floatsOf, halvesOf } from "../views.ts";

/** A linear map in the backward pass: its weights, and the factors of its gradients. */
interface LinearBackward {
  readonly shapes: LinearShapes;
  readonly weight: Tensor;
  /** x (rows, in) of the forward pass */
  readonly input: View;
  /** dy (rows, out) */
  readonly outputGradient: View;
  /** gets dx (rows, in) */
  readonly inputGradient: View;
}

/** The backward pass of one block, after its forward pass. */
export class BackwardPass {
  readonly #pass: PassContext;
  readonly #target: GradientTarget;

  constructor(pass: PassContext, target: GradientTarget) {
    this.#pass = pass;
    this.#target = target;
  }

  /**
   * Losses (rows) with their sum over each window, and every tensor's gradient.
   *
   * @param tokenWeight what a token's loss counts, before the loss scale
   * @param sums f32 (windows)
   */
  run(input: PassInput, tokenWeight: number, sums: View): void {
    const pass = this.#pass;
    const { rows, model, tensors, buffers: { regions } } = pass;
    const { embedding } = tensors;
    if (!this.#target.accumulate) pass.device.fill32(this.#gradient(embedding), 0);

    this.#head(input.tokens, tokenWeight);
    pass.classifier.sumLosses(regions.losses, sums);
    rows.normalizeBackward(
      [{ dy: regions.headInputGradient, gain: pass.weight(tensors.finalGain) }],
      { normalized: regions.finalNormalized, rstds: regions.finalRstds },
      this.#stream,
      { norm: regions.normSums, stream: regions.streamSums },
    );
    this.#sumColumns("norm", regions.normSums, tensors.finalGain, 2 * model.hiddenSize);
    for (let index = model.layers - 1; index >= 0; index--) this.#layer(index);
    rows.embedBackward(regions.streamGradient, input.index, this.#gradient(embedding));
  }

  get #stream(): { exact: View; rounded: View } {
    const { streamGradient, roundedStreamGradient } = this.#pass.buffers.regions;
    return { exact: streamGradient, rounded: roundedStreamGradient };
  }

  #gradient({ offset, size }: Tensor): View {
    return floatsOf(this.#target.gradient, offset, size);
  }

  /** Totals of partial column sums into the `width` elements from a tensor's first on. */
  #sumColumns(kind: "linear" | "norm", partial: View, { offset }: Tensor, width: number, also?: Tensor): void {
    const { rows } = this.#pass;
    const target = floatsOf(this.#target.gradient, offset, width);
    const second = also && this.#gradient(also);
    rows.sumColumns({ partial, pieces: rows.pieces[kind], width, target, also: second }, this.#target.accumulate);
  }

  /** dW, and dx = dy · W. */
  #linear({ shapes, weight, input, outputGradient, inputGradient }: LinearBackward, joins = false): void {
    const { matmuls } = this.#pass;
    const accumulate = this.#target.accumulate || joins;
    matmuls.run(shapes.weightGradient, { a: outputGradient, b: input, c: this.#gradient(weight), accumulate });
    const b = this.#pass.roundedWeight(weight);
    matmuls.run(shapes.inputGradient, { a: outputGradient, b, c: inputGradient });
  }

  /** Output head and classifier, piece by piece of the rows: the pieces of its weight's gradient are a chain. */
  #head(tokens: View, tokenWeight: number): void {
    const { shapes, tensors, model, memory, classifier, buffers: { regions } } = this.#pass;
    const h = model.hiddenSize;
    memory.logitRanges.forEach((range, piece) => {
      const { logits, input } = headForward(this.#pass, range);
      const views = { tokens, losses: regions.losses };
      classifier.lossAndGradient(logits, views, range, regions.trainingState, tokenWeight);
      this.#linear({
        shapes: shapes.head(range.count),
        weight: tensors.head,
        input,
        outputGradient: logits,
        inputGradient: halvesOf(regions.headInputGradient, range.first * h, range.count * h),
      }, piece > 0);
    });
  }

  #layer(index: number): void {
    const pass = this.#pass;
    const { rows, shapes, model, buffers: { regions } } = pass;
    if (pass.recomputes) layerForward(pass, index, pass.layerInput(index));
    const layer = pass.layer(index), tensors = pass.layerTensors(index);
    const { hiddenSize: h, intermediateSize: m } = model;
    const outputGradient = regions.roundedStreamGradient;

    // Both branches end in the residual stream: the same gradient reaches both biases.
    this.#sumColumns("norm", regions.streamSums, tensors.attentionOutBias, h, tensors.mlpOutBias);

    this.#linear({
      shapes: shapes.mlpOut,
      weight: tensors.mlpOut,
      input: layer.activation,
      outputGradient,
      inputGradient: regions.hiddenGradient,
    });
    const bias = pass.weight(tensors.mlpInBias);
    rows.geluBackward(regions.hiddenGradient, layer.hidden, bias, regions.biasSums);
    this.#sumColumns("linear", regions.biasSums, tensors.mlpInBias, m);
    this.#linear({
      shapes: shapes.mlpIn,
      weight: tensors.mlpIn,
      input: layer.mlpInput,
      outputGradient: regions.hiddenGradient,
      inputGradient: regions.mlpInputGradient,
    });

    this.#linear({
      shapes: shapes.attentionOut,
      weight: tensors.attentionOut,
      input: layer.attentionOutput,
      outputGradient,
      inputGradient: regions.attentionOutputGradient,
    });
    const activations = { ...layer, output: layer.attentionOutput };
    const { attentionOutputGradient, deltas, queryKeyValueGradient } = regions;
    pass.attention.backward(activations, attentionOutputGradient, deltas, queryKeyValueGradient);
    rows.rotaryBackward(queryKeyValueGradient, pass.rotaryTables, regions.biasSums);
    this.#sumColumns("linear", regions.biasSums, tensors.queryKeyValueBias, 3 * h);
    this.#linear({
      shapes: shapes.queryKeyValue,
      weight: tensors.queryKeyValue,
      input: layer.attentionInput,
      outputGradient: queryKeyValueGradient,
      inputGradient: regions.attentionInputGradient,
    });

    rows.normalizeBackward(
      [
        { dy: regions.attentionInputGradient, gain: pass.weight(tensors.attentionGain) },
        { dy: regions.mlpInputGradient, gain: pass.weight(tensors.mlpGain) },
      ],
      layer,
      this.#stream,
      { norm: regions.normSums, stream: regions.streamSums },
    );
    // Gains and shifts of a layer's two norms lie one after the other.
    this.#sumColumns("norm", regions.normSums, tensors.attentionGain, 4 * h);
  }
}
