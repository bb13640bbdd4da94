/** GPT-NeoX as Hugging Face stores it: `config.json` in both spellings, and weights by their names. */
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";
import { parameterShapes } from "./parameters.ts";
import { type Safetensors, toFloat32 } from "./safetensors.ts";

/** Fields of `config.json` that determine the forward pass. Released Pythia writes the rotary ones at top level. */
const configSchema = z.object({
  model_type: z.literal("gpt_neox"),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  layer_norm_eps: z.number().positive(),
  hidden_act: z.literal("gelu"),
  use_parallel_residual: z.literal(true),
  attention_bias: z.literal(true).optional(),
  tie_word_embeddings: z.literal(false).optional(),
  rotary_pct: z.number().positive().max(1).optional(),
  rotary_emb_base: z.number().positive().optional(),
  rope_parameters: z.object({
    partial_rotary_factor: z.number().positive().max(1),
    rope_theta: z.number().positive(),
    rope_type: z.literal("default").optional(),
  }).optional(),
  rope_scaling: z.null().optional(),
});

/**
 * Reads a `config.json` of a GPT-NeoX model.
 *
 * @param name the file's name, for messages
 * @throws {UserError} `BAD_MODEL_CONFIG` naming the field if the model is not one that rewarm trains
 */
export function parseHuggingFaceConfig(json: unknown, name: string): ModelConfig {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError("BAD_MODEL_CONFIG", `"${name}", ${issue?.path.join(".") || "top level"}: ${issue?.message}`);
  }
  const config = parsed.data;
  const rotaryFraction = config.rope_parameters?.partial_rotary_factor ?? config.rotary_pct;
  const rotaryBase = config.rope_parameters?.rope_theta ?? config.rotary_emb_base;
  if (rotaryFraction === undefined || rotaryBase === undefined) {
    throw new UserError("BAD_MODEL_CONFIG", `"${name}" has neither "rope_parameters" nor "rotary_pct"`);
  }
  return {
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    vocabularySize: config.vocab_size,
    sequenceLength: config.max_position_embeddings,
    rotaryFraction,
    rotaryBase,
    layerNormEpsilon: config.layer_norm_eps,
  };
}

/** Names that newer versions of transformers write. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([["embed_out.weight", "lm_head.weight"]]);

/**
 * Copies a checkpoint's tensors into the flat parameter vector.
 *
 * @throws {UserError} `BAD_CHECKPOINT` naming the tensor that is missing or has another shape
 */
export function loadWeights({ tensors }: Safetensors, config: ModelConfig, weights: Float32Array, name: string): void {
  for (const parameter of parameterShapes(config)) {
    const entry = tensors.get(parameter.name) ?? tensors.get(OTHER_NAMES.get(parameter.name) ?? parameter.name);
    if (entry === undefined) throw new UserError("BAD_CHECKPOINT", `"${name}" has no tensor "${parameter.name}"`);
    if (entry.shape.join() !== parameter.shape.join()) {
      throw new UserError(
        "BAD_CHECKPOINT",
        `Tensor "${parameter.name}" of "${name}" has the shape [${entry.shape}], expected [${parameter.shape}]`,
      );
    }
    weights.set(toFloat32(entry), parameter.offset);
  }
}
