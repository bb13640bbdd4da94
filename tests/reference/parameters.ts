/** A model's tensors as matrices over one flat vector, found by their names' ends. */
import type { ModelConfig } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { type Matrix, matrix } from "./ordered_arithmetic.ts";

/** Weights, or their gradients. Biases, gains and offsets are vectors; matrices have the shape (out, in). */
export interface Parameters {
  readonly flat: Float32Array;
  readonly embedIn: Matrix;
  readonly layers: readonly LayerParameters[];
  readonly finalNorm: Norm;
  readonly embedOut: Matrix;
}

/** γ and β of a LayerNorm. */
export interface Norm {
  readonly gain: Float32Array;
  readonly offset: Float32Array;
}

/** A matrix (out, in) and its bias (out). */
export interface Linear {
  readonly weight: Matrix;
  readonly bias: Float32Array;
}

/** One transformer layer. */
export interface LayerParameters {
  readonly inputNorm: Norm;
  readonly postAttentionNorm: Norm;
  readonly queryKeyValue: Linear;
  readonly attentionDense: Linear;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
}

/** Views of a flat vector, by default a new one of zeros. */
export function parameters(config: ModelConfig, vector?: Float32Array): Parameters {
  const shapes = new Map(parameterShapes(config).map((shape) => [shape.name, shape]));
  const last = [...shapes.values()].at(-1)!;
  const flat = vector ?? new Float32Array(last.offset + last.size);
  const get = (name: string) => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new Error(`No tensor "${name}"`);
    return shape;
  };
  const tensor = (name: string) => matrix(get(name).shape[0]!, get(name).shape[1]!, flat, get(name).offset);
  const vectorOf = (name: string) => flat.subarray(get(name).offset, get(name).offset + get(name).size);
  const norm = (name: string) => ({ gain: vectorOf(`${name}.weight`), offset: vectorOf(`${name}.bias`) });
  const linear = (name: string) => ({ weight: tensor(`${name}.weight`), bias: vectorOf(`${name}.bias`) });
  return {
    flat,
    embedIn: tensor("gpt_neox.embed_in.weight"),
    layers: Array.from({ length: config.layers }, (_, layer) => {
      const prefix = `gpt_neox.layers.${layer}`;
      return {
        inputNorm: norm(`${prefix}.input_layernorm`),
        postAttentionNorm: norm(`${prefix}.post_attention_layernorm`),
        queryKeyValue: linear(`${prefix}.attention.query_key_value`),
        attentionDense: linear(`${prefix}.attention.dense`),
        mlpIn: linear(`${prefix}.mlp.dense_h_to_4h`),
        mlpOut: linear(`${prefix}.mlp.dense_4h_to_h`),
      };
    }),
    finalNorm: norm("gpt_neox.final_layer_norm"),
    embedOut: tensor("embed_out.weight"),
  };
}
