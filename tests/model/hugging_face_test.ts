import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { parseHuggingFaceConfig } from "../../src/model/hugging_face.ts";
import { loadWeights } from "../../src/model/hugging_face_tensors.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { presetModel } from "../../src/model/presets.ts";
import type { Safetensors, SafetensorsEntry } from "../../src/formats/safetensors/safetensors.ts";

/** The `config.json` of Pythia-410M as it was released, as far as it determines the forward pass, and beyond. */
const RELEASED = {
  architectures: ["GPTNeoXForCausalLM"],
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: "gelu",
  hidden_size: 1024,
  initializer_range: 0.02,
  intermediate_size: 4096,
  layer_norm_eps: 1e-5,
  max_position_embeddings: 2048,
  model_type: "gpt_neox",
  num_attention_heads: 16,
  num_hidden_layers: 24,
  rotary_emb_base: 10000,
  rotary_pct: 0.25,
  tie_word_embeddings: false,
  use_cache: true,
  use_parallel_residual: true,
  vocab_size: 50304,
};

const { rotary_emb_base: _base, rotary_pct: _fraction, ...WITHOUT_ROTARY } = RELEASED;

/** The same model as newer versions of transformers write it. */
const REWRITTEN = {
  ...WITHOUT_ROTARY,
  attention_bias: true,
  rope_parameters: { partial_rotary_factor: 0.25, rope_theta: 10000, rope_type: "default" },
};

Deno.test("parseHuggingFaceConfig() reads both spellings of Pythia-410M", () => {
  const { config } = presetModel("pythia-410m");
  assert.deepEqual(parseHuggingFaceConfig(RELEASED, "config.json"), config);
  assert.deepEqual(parseHuggingFaceConfig(REWRITTEN, "config.json"), config);
  assert.deepEqual(parseHuggingFaceConfig({ ...RELEASED, rope_scaling: null }, "config.json"), config);
});

Deno.test("parseHuggingFaceConfig() goes by rope_parameters when both spellings are there", () => {
  const both = { ...RELEASED, rope_parameters: { partial_rotary_factor: 0.5, rope_theta: 500 } };
  const { rotaryFraction, rotaryBase } = parseHuggingFaceConfig(both, "config.json");
  assert.deepEqual([rotaryFraction, rotaryBase], [0.5, 500]);
});

const REFUSED: [string, Record<string, unknown>, RegExp][] = [
  ["another architecture", { model_type: "llama" }, /model_type: .*"gpt_neox"/],
  ["another activation", { hidden_act: "gelu_new" }, /hidden_act: .*"gelu"/],
  ["a sequential residual", { use_parallel_residual: false }, /use_parallel_residual: .*true/],
  ["no word on the residual", { use_parallel_residual: undefined }, /use_parallel_residual: .*true/],
  ["attention without biases", { attention_bias: false }, /attention_bias: .*true/],
  ["tied embeddings", { tie_word_embeddings: true }, /tie_word_embeddings: .*false/],
  ["stretched positions", { rope_scaling: { type: "linear", factor: 2 } }, /rope_scaling: /],
  [
    "stretched positions in the newer spelling",
    { rope_parameters: { partial_rotary_factor: 0.25, rope_theta: 10000, rope_type: "dynamic" } },
    /rope_parameters\.rope_type: .*"default"/,
  ],
  ["a missing field", { hidden_size: undefined }, /hidden_size: /],
  ["a size that is text", { hidden_size: "1024" }, /hidden_size: .*number/],
  ["a size of zero", { num_hidden_layers: 0 }, /num_hidden_layers: /],
  ["a fractional size", { num_attention_heads: 2.5 }, /num_attention_heads: .*int/],
  ["a rotation of more than everything", { rotary_pct: 1.25 }, /rotary_pct: /],
  ["a rotary base of zero", { rotary_emb_base: 0 }, /rotary_emb_base: /],
  ["ε of zero", { layer_norm_eps: 0 }, /layer_norm_eps: /],
  [
    "no rotary base",
    { rotary_emb_base: undefined },
    /has "rotary_pct" and no "rotary_emb_base": .* transformers takes 10000/,
  ],
  ["no rotary fraction", { rotary_pct: undefined }, /has "rotary_emb_base" and no "rotary_pct": .* takes 0.25/],
  [
    "no rotary embedding",
    { rotary_pct: undefined, rotary_emb_base: undefined },
    /says nothing of the rotary embedding: add "rotary_pct" and "rotary_emb_base"/,
  ],
];

function assertBadConfig(json: unknown, message: RegExp): void {
  assert.throws(() => parseHuggingFaceConfig(json, "my/config.json"), (error) => {
    assert(error instanceof UserError);
    assert.equal(error.code, "BAD_MODEL_CONFIG");
    assert.match(error.message, /^"my\/config\.json"/);
    assert.match(error.message, message);
    return true;
  });
}

for (const [what, change, message] of REFUSED) {
  Deno.test(`parseHuggingFaceConfig() refuses ${what}, naming file and field`, () => {
    assertBadConfig({ ...RELEASED, ...change }, message);
  });
}

Deno.test("parseHuggingFaceConfig() refuses what is no object", () => {
  for (const json of [null, [], "gpt_neox", 3]) assertBadConfig(json, /top level: /);
});

const TINY: ModelConfig = {
  hiddenSize: 4,
  layers: 1,
  heads: 1,
  intermediateSize: 8,
  vocabularySize: 3,
  sequenceLength: 2,
  rotaryFraction: 0.5,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

/** A checkpoint whose elements count up over all tensors. */
function checkpoint(rename: (name: string) => string = (name) => name): Safetensors {
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, shape, size, offset } of parameterShapes(TINY)) {
    const data = Float32Array.from({ length: size }, (_, i) => offset + i);
    tensors.set(rename(name), { dtype: "F32", shape, data: new Uint8Array(data.buffer) });
  }
  return { tensors, metadata: {} };
}

const COUNTING = Float32Array.from({ length: parameterCount(TINY) }, (_, i) => i);

Deno.test("loadWeights() puts every tensor in its place, under the older and the newer name of the output head", () => {
  for (const head of ["embed_out.weight", "lm_head.weight"]) {
    const weights = new Float32Array(COUNTING.length).fill(NaN);
    loadWeights(checkpoint((name) => name.replace("embed_out.weight", head)), TINY, weights, "model.safetensors");
    assert.deepEqual(weights, COUNTING);
  }
});

Deno.test("loadWeights() passes over tensors that a model has no use for", () => {
  const file = checkpoint();
  const buffer: SafetensorsEntry = { dtype: "U8", shape: [4], data: new Uint8Array(4) };
  const tensors = new Map([...file.tensors, ["gpt_neox.layers.0.attention.bias", buffer] as const]);
  const weights = new Float32Array(COUNTING.length);
  loadWeights({ tensors, metadata: {} }, TINY, weights, "model.safetensors");
  assert.deepEqual(weights, COUNTING);
});

const TOGETHER = "check that the files belong together: config.json says which tensors there are";

Deno.test("loadWeights() names the tensor that is missing or has another shape", () => {
  const load = (file: Safetensors) => () => loadWeights(file, TINY, new Float32Array(COUNTING.length), "m.safetensors");
  const missing = checkpoint((name) => name.replace("final_layer_norm.bias", "elsewhere"));
  assert.throws(load(missing), {
    code: "BAD_CHECKPOINT",
    message: '"m.safetensors" has no tensor "gpt_neox.final_layer_norm.bias": ' + TOGETHER,
  });
  const file = checkpoint();
  const embedding = file.tensors.get("gpt_neox.embed_in.weight");
  assert(embedding);
  const turned = new Map([...file.tensors, ["gpt_neox.embed_in.weight", { ...embedding, shape: [4, 3] }] as const]);
  assert.throws(load({ tensors: turned, metadata: {} }), {
    code: "BAD_CHECKPOINT",
    message: 'Tensor "gpt_neox.embed_in.weight" of "m.safetensors" has the shape [4,3], expected [3,4]: ' + TOGETHER,
  });
});
