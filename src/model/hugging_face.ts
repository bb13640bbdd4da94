/** `config.json` of a GPT-NeoX model as Hugging Face stores it, in both spellings of its rotary embedding. */
import { z } from "zod";
import type { Json } from "../digest/canonical_json.ts";
import { UserError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";

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
  if (rotaryFraction === undefined || rotaryBase === undefined) throw noRotary(name, config);
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

/** What is missing of the rotary embedding; transformers has values for it, which may not be those of the training. */
function noRotary(
  name: string,
  { rotary_pct: fraction, rotary_emb_base: base }: z.output<typeof configSchema>,
): UserError {
  const [found, missing, usual] = fraction !== undefined
    ? ["rotary_pct", "rotary_emb_base", 10000]
    : base !== undefined
    ? ["rotary_emb_base", "rotary_pct", 0.25]
    : [];
  if (missing === undefined) {
    return new UserError(
      "BAD_MODEL_CONFIG",
      `"${name}" says nothing of the rotary embedding`,
      'add "rotary_pct" and "rotary_emb_base", or "rope_parameters", as the model was trained',
    );
  }
  return new UserError(
    "BAD_MODEL_CONFIG",
    `"${name}" has "${found}" and no "${missing}"`,
    `add it as the model was trained; transformers takes ${usual} where it is missing`,
  );
}

/**
 * A `config.json` that old and new versions of transformers read: they look for the rotary embedding at the top level
 * and in `rope_parameters`.
 *
 * @param endOfText id that stands between documents, at their beginning and end
 */
export function huggingFaceConfig(model: ModelConfig, endOfText: number): Readonly<Record<string, Json>> {
  return {
    architectures: ["GPTNeoXForCausalLM"],
    attention_bias: true,
    attention_dropout: 0,
    bos_token_id: endOfText,
    dtype: "float32",
    eos_token_id: endOfText,
    hidden_act: "gelu",
    hidden_dropout: 0,
    hidden_size: model.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: model.intermediateSize,
    layer_norm_eps: model.layerNormEpsilon,
    max_position_embeddings: model.sequenceLength,
    model_type: "gpt_neox",
    num_attention_heads: model.heads,
    num_hidden_layers: model.layers,
    rope_parameters: {
      partial_rotary_factor: model.rotaryFraction,
      rope_theta: model.rotaryBase,
      rope_type: "default",
    },
    rotary_emb_base: model.rotaryBase,
    rotary_pct: model.rotaryFraction,
    tie_word_embeddings: false,
    torch_dtype: "float32",
    use_cache: true,
    use_parallel_residual: true,
    vocab_size: model.vocabularySize,
  };
}
