import assert from "node:assert/strict";
import { flopsPerToken, nonEmbeddingParameterCount, parameterCount } from "../../src/model/config.ts";
import { MODEL_PRESETS, presetModel } from "../../src/model/presets.ts";

// Pythia's table: parameters, parameters without embeddings, maximum learning rate.
const TABLE = {
  "pythia-14m": [14_067_712, 1_189_888, 1e-3],
  "pythia-31m": [30_494_720, 4_739_072, 1e-3],
  "pythia-70m": [70_426_624, 18_915_328, 1e-3],
  "pythia-160m": [162_322_944, 85_056_000, 6e-4],
  "pythia-410m": [405_334_016, 302_311_424, 3e-4],
  "pythia-1b": [1_011_781_632, 805_736_448, 3e-4],
  "pythia-1.4b": [1_414_647_808, 1_208_602_624, 2e-4],
  "pythia-2.8b": [2_775_208_960, 2_517_652_480, 1.6e-4],
  "pythia-6.9b": [6_857_302_016, 6_444_163_072, 1.2e-4],
} as const;

for (const preset of MODEL_PRESETS) {
  Deno.test(`presetModel() gives ${preset} the published sizes`, () => {
    const { config, maxLearningRate } = presetModel(preset);
    assert.deepEqual([parameterCount(config), nonEmbeddingParameterCount(config), maxLearningRate], TABLE[preset]);
  });
}

Deno.test("flopsPerToken() counts a training step of the presets", () => {
  const gigaflops = (preset: (typeof MODEL_PRESETS)[number], attention: "full" | "causal") =>
    flopsPerToken(presetModel(preset).config, attention) / 1e9;
  assert.equal(gigaflops("pythia-410m", "full").toFixed(3), "2.725");
  assert.equal(gigaflops("pythia-410m", "causal").toFixed(3), "2.423");
  assert.equal(gigaflops("pythia-14m", "full").toFixed(4), "0.0646");
  assert.equal(gigaflops("pythia-31m", "full").toFixed(3), "0.143");
  assert.equal(gigaflops("pythia-70m", "full").toFixed(3), "0.343");
});
