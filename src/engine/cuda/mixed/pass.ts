/** What the forward and the backward pass of a gradient block share: launches, memory, and where tensors lie. */
import type { ModelConfig } from "../../../model/config.ts";
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { type ModelTensors, modelTensors, type Tensor } from "../../../model/model_tensors.ts";
import { Attention } from "./attention.ts";
import type { Buffers, LayerBuffers } from "./buffers.ts";
import { Classifier } from "./classifier.ts";
import type { Matmuls } from "./matmul.ts";
import type { MixedKernels } from "./kernels.ts";
import type { MixedMemory } from "./memory.ts";
import { type PassShapes, passShapes } from "./matmul_shapes.ts";
import { type NormWeights, RowOperations } from "./row_operations.ts";
import { floatsOf, halvesOf } from "../views.ts";

/** One session's launches over its memory. */
export class PassContext {
  readonly rows: RowOperations;
  readonly attention: Attention;
  readonly classifier: Classifier;
  readonly tensors: ModelTensors;
  readonly shapes: PassShapes;

  constructor(
    readonly device: Device,
    kernels: MixedKernels,
    readonly matmuls: Matmuls,
    readonly model: ModelConfig,
    readonly memory: MixedMemory,
    readonly buffers: Buffers,
  ) {
    const windows = memory.rows / model.sequenceLength;
    this.rows = new RowOperations(device, kernels, model, memory.rows);
    this.attention = new Attention(device, kernels, model, windows);
    this.classifier = new Classifier(device, kernels, model, windows);
    this.tensors = modelTensors(model);
    this.shapes = passShapes(model, memory.rows);
  }

  /** Whether layers share one set of activations. */
  get recomputes(): boolean {
    return this.memory.keptInputs > 0;
  }

  /** A layer's activations. */
  layer(index: number): LayerBuffers {
    return required(this.buffers.layers[this.recomputes ? 0 : index]);
  }

  /** The residual stream before a layer, where it is kept. */
  layerInput(index: number): View {
    return required(this.buffers.layerInputs[index]);
  }

  /** Tensors of a layer. */
  layerTensors(index: number): ModelTensors["layers"][number] {
    return required(this.tensors.layers[index]);
  }

  /** A tensor in f32, as kernels that work row by row read it. */
  weight({ offset, size }: Tensor): View {
    return floatsOf(this.buffers.regions.weights, offset, size);
  }

  /** A tensor in 16 bits, as matmuls read it. */
  roundedWeight({ offset, size }: Tensor): View {
    return halvesOf(this.buffers.regions.roundedWeights, offset, size);
  }

  norm(gain: Tensor, shift: Tensor): NormWeights {
    return { gain: this.weight(gain), shift: this.weight(shift) };
  }

  /** Sums of the output biases of the layers below one. */
  carriedBiases(layer: number): View {
    const { hiddenSize } = this.model;
    return floatsOf(this.buffers.regions.carriedBiases, layer * hiddenSize, hiddenSize);
  }

  get rotaryTables(): { cosines: View; sines: View } {
    const { cosines, sines } = this.buffers.regions;
    return { cosines, sines };
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("No such layer");
  return value;
}
