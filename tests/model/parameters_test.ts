import assert from "node:assert/strict";
import fc from "fast-check";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";

const CONFIG: ModelConfig = {
  hiddenSize: 4,
  layers: 2,
  heads: 2,
  intermediateSize: 12,
  vocabularySize: 10,
  sequenceLength: 8,
  rotaryFraction: 0.5,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

const LAYER: [string, number[]][] = [
  ["input_layernorm.weight", [4]],
  ["input_layernorm.bias", [4]],
  ["post_attention_layernorm.weight", [4]],
  ["post_attention_layernorm.bias", [4]],
  ["attention.query_key_value.weight", [12, 4]],
  ["attention.query_key_value.bias", [12]],
  ["attention.dense.weight", [4, 4]],
  ["attention.dense.bias", [4]],
  ["mlp.dense_h_to_4h.weight", [12, 4]],
  ["mlp.dense_h_to_4h.bias", [12]],
  ["mlp.dense_4h_to_h.weight", [4, 12]],
  ["mlp.dense_4h_to_h.bias", [4]],
];

Deno.test("parameterShapes() lists the tensors in the order of docs/arithmetic.md §7", () => {
  const expected = [
    ["gpt_neox.embed_in.weight", [10, 4]],
    ...[0, 1].flatMap((layer) => LAYER.map(([name, shape]) => [`gpt_neox.layers.${layer}.${name}`, shape])),
    ["gpt_neox.final_layer_norm.weight", [4]],
    ["gpt_neox.final_layer_norm.bias", [4]],
    ["embed_out.weight", [10, 4]],
  ];
  assert.deepEqual(parameterShapes(CONFIG).map(({ name, shape }) => [name, shape]), expected);
});

Deno.test("parameterShapes() decays matrices and embeddings, not biases and gains", () => {
  const decayed = parameterShapes(CONFIG).filter((tensor) => tensor.decayed).map(({ name }) => name);
  assert.equal(decayed.length, 2 + 4 * 2);
  assert(decayed.every((name) => name.endsWith("weight") && !name.includes("norm")));
});

Deno.test("parameterShapes() starts the two residual projections at 2 / (L√h), other matrices at √(2 / 5h)", () => {
  for (const { name, initial, shape } of parameterShapes({ ...CONFIG, hiddenSize: 64, layers: 3, heads: 4 })) {
    if (shape.length === 1) {
      assert.deepEqual(initial, { kind: "constant", value: name.endsWith("norm.weight") ? 1 : 0 });
    } else {
      const standardDeviation = /attention\.dense|4h_to_h/.test(name) ? 2 / 24 : Math.sqrt(2 / 320);
      assert.deepEqual(initial, { kind: "normal", standardDeviation }, name);
    }
  }
});

Deno.test("parameterShapes() covers the flat vector without gap or overlap", () => {
  const config = fc.record({
    hiddenSize: fc.integer({ min: 1, max: 64 }),
    layers: fc.integer({ min: 1, max: 6 }),
    intermediateSize: fc.integer({ min: 1, max: 300 }),
    vocabularySize: fc.integer({ min: 1, max: 1000 }),
  }).map((shape) => ({ ...CONFIG, ...shape }));
  fc.assert(fc.property(config, (config) => {
    let next = 0;
    for (const { offset, size, shape } of parameterShapes(config)) {
      assert.equal(offset, next);
      assert.equal(size, shape.reduce((product, length) => product * length, 1));
      next += size;
    }
    assert.equal(next, parameterCount(config));
  }));
});
