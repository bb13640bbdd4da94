/** Where each tensor lies in a flat parameter vector, by what it does rather than by its name in a file. */
import type { ModelConfig } from "./config.ts";
import { parameterShapes } from "./parameters.ts";

/** A tensor's first element and size in the flat vector. */
export interface Tensor {
  readonly offset: number;
  readonly size: number;
}

/** Tensors of one layer, named for what they do. */
export interface LayerTensors {
  readonly attentionGain: Tensor;
  readonly attentionShift: Tensor;
  readonly mlpGain: Tensor;
  readonly mlpShift: Tensor;
  readonly queryKeyValue: Tensor;
  readonly queryKeyValueBias: Tensor;
  readonly attentionOut: Tensor;
  readonly attentionOutBias: Tensor;
  readonly mlpIn: Tensor;
  readonly mlpInBias: Tensor;
  readonly mlpOut: Tensor;
  readonly mlpOutBias: Tensor;
}

/** Tensors of a model. */
export interface ModelTensors {
  readonly embedding: Tensor;
  readonly layers: readonly LayerTensors[];
  readonly finalGain: Tensor;
  readonly finalShift: Tensor;
  readonly head: Tensor;
}

/** Looks all tensors of a model up by their names. */
export function modelTensors(model: ModelConfig): ModelTensors {
  const shapes = new Map(parameterShapes(model).map(({ name, offset, size }) => [name, { offset, size }]));
  const at = (name: string): Tensor => {
    const tensor = shapes.get(name);
    if (tensor === undefined) throw new Error(`No tensor "${name}"`);
    return tensor;
  };
  return {
    embedding: at("gpt_neox.embed_in.weight"),
    layers: Array.from({ length: model.layers }, (_, layer) => {
      const prefix = `gpt_neox.layers.${layer}`;
      return {
        attentionGain: at(`${prefix}.input_layernorm.weight`),
        attentionShift: at(`${prefix}.input_layernorm.bias`),
        mlpGain: at(`${prefix}.post_attention_layernorm.weight`),
        mlpShift: at(`${prefix}.post_attention_layernorm.bias`),
        queryKeyValue: at(`${prefix}.attention.query_key_value.weight`),
        queryKeyValueBias: at(`${prefix}.attention.query_key_value.bias`),
        attentionOut: at(`${prefix}.attention.dense.weight`),
        attentionOutBias: at(`${prefix}.attention.dense.bias`),
        mlpIn: at(`${prefix}.mlp.dense_h_to_4h.weight`),
        mlpInBias: at(`${prefix}.mlp.dense_h_to_4h.bias`),
        mlpOut: at(`${prefix}.mlp.dense_4h_to_h.weight`),
        mlpOutBias: at(`${prefix}.mlp.dense_4h_to_h.bias`),
      };
    }),
    finalGain: at("gpt_neox.final_layer_norm.weight"),
    finalShift: at("gpt_neox.final_layer_norm.bias"),
    head: at("embed_out.weight"),
  };
}
