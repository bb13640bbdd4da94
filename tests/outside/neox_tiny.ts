/** neox-tiny: a GPT-NeoX of Hugging Face transformers with its float64 reference values, from tests/fixtures/outside. */
import assert from "node:assert/strict";
import { parseHuggingFaceConfig } from "../../src/model/hugging_face.ts";
import { loadWeights } from "../../src/model/hugging_face_tensors.ts";
import { parameterCount } from "../../src/model/config.ts";
import { parseSafetensors } from "../../src/formats/safetensors/safetensors.ts";

const FOLDER = new URL("../fixtures/outside/neox-tiny/", import.meta.url);

/** False where the fixture is not at hand: it is no part of this repository. */
export const hasNeoxTiny: boolean = await Deno.stat(FOLDER).then(() => true, () => false);

/** AdamW as the reference was trained with. */
export const NEOX_TINY_OPTIMIZER = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradientClip: 1 };

/** Reads the fixture: tokens are two windows, (2, T + 1). */
export async function readNeoxTiny() {
  const config = parseHuggingFaceConfig(
    JSON.parse(await Deno.readTextFile(new URL("config.json", FOLDER))),
    "config.json",
  );
  const read = async (name: string) => parseSafetensors(await Deno.readFile(new URL(name, FOLDER)), name);
  const reference = await read("reference.safetensors");
  const tokens = reference.tensors.get("tokens");
  assert(tokens);
  const weights = new Float32Array(parameterCount(config));
  loadWeights(await read("model.safetensors"), config, weights, "model.safetensors");
  return {
    config,
    weights,
    reference,
    tokens: Uint16Array.from(new Int32Array(tokens.data.slice().buffer)),
    numbers: JSON.parse(await Deno.readTextFile(new URL("reference.json", FOLDER))),
  };
}
