/** A model's tensors by Hugging Face's names, in the order in which rewarm stores, hashes and sums them. */
import type { ModelConfig } from "./config.ts";

/** How a tensor starts when a model is trained from scratch. */
export type InitialDistribution =
  | { readonly kind: "constant"; readonly value: 0 | 1 }
  /** normal with mean 0 and this standard deviation */
  | { readonly kind: "normal"; readonly standardDeviation: number };

/** One tensor of a model. */
export interface ParameterShape {
  /** name in a Hugging Face checkpoint of GPT-NeoX */
  readonly name: string;
  /** (out, in) for matrices, (rows, h) for embeddings, (n) for vectors */
  readonly shape: readonly number[];
  /** product of `shape` */
  readonly size: number;
  /** index of the first element in the flat parameter vector */
  readonly offset: number;
  /** whether weight decay applies: matrices and embeddings, not biases and LayerNorms */
  readonly decayed: boolean;
  readonly initial: InitialDistribution;
}

const ZEROS: InitialDistribution = { kind: "constant", value: 0 };
const ONES: InitialDistribution = { kind: "constant", value: 1 };

/**
 * All tensors of a model. Matrices and embeddings start from N(0, √(2 / 5h)) ("small_init") except the two that write
 * into the residual stream, N(0, 2 / (L√h)) ("wang_init"); biases start at 0 and LayerNorm gains at 1.
 *
 * @see GPT-NeoX `megatron/model/init_functions.py`; Pythia, arXiv 2304.01373 §2.2
 */
export function parameterShapes(config: ModelConfig): ParameterShape[] {
  const { hiddenSize: h, intermediateSize: m, vocabularySize, layers } = config;
  const small: InitialDistribution = { kind: "normal", standardDeviation: Math.sqrt(2 / (5 * h)) };
  const wang: InitialDistribution = { kind: "normal", standardDeviation: 2 / (layers * Math.sqrt(h)) };
  const parameters: ParameterShape[] = [];
  let offset = 0;
  const add = (name: string, shape: number[], initial: InitialDistribution) => {
    const size = shape.reduce((product, length) => product * length, 1);
    parameters.push({ name, shape, size, offset, decayed: shape.length === 2, initial });
    offset += size;
  };
  const addLayerNorm = (name: string) => {
    add(`${name}.weight`, [h], ONES);
    add(`${name}.bias`, [h], ZEROS);
  };
  const addLinear = (name: string, out: number, input: number, initial: InitialDistribution) => {
    add(`${name}.weight`, [out, input], initial);
    add(`${name}.bias`, [out], ZEROS);
  };

  add("gpt_neox.embed_in.weight", [vocabularySize, h], small);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `gpt_neox.layers.${layer}`;
    addLayerNorm(`${prefix}.input_layernorm`);
    addLayerNorm(`${prefix}.post_attention_layernorm`);
    addLinear(`${prefix}.attention.query_key_value`, 3 * h, h, small);
    addLinear(`${prefix}.attention.dense`, h, h, wang);
    addLinear(`${prefix}.mlp.dense_h_to_4h`, m, h, small);
    addLinear(`${prefix}.mlp.dense_4h_to_h`, h, m, wang);
  }
  addLayerNorm("gpt_neox.final_layer_norm");
  add("embed_out.weight", [vocabularySize, h], small);
  return parameters;
}
