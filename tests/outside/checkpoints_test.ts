/** Import and export against a checkpoint of Hugging Face transformers and GPT-NeoX-20B's tokenizer, from tests/fixtures/outside. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { openForInference } from "../../src/inference/open_for_inference.ts";
import { exportHuggingFace } from "../../src/model/hugging_face_export.ts";
import { parseSafetensors, toFloat32 } from "../../src/formats/safetensors/safetensors.ts";
import { openWeightsFile, writeWeightsFile } from "../../src/model/weights_file.ts";
import { readWeights } from "../../src/model/weights_source.ts";
import { chooseTokenizer } from "../../src/inference/tokenizer_choice.ts";
import { TextOfTokens } from "../../src/inference/token_text.ts";
import { openWeights } from "../../src/train/checkpoint/open_weights.ts";
import { presetModel } from "../../src/model/presets.ts";
import { withFolder } from "../temporary_folder.ts";
import { hasNeoxTiny, readNeoxTiny } from "./neox_tiny.ts";

const MODEL = new URL("../fixtures/outside/neox-tiny", import.meta.url).pathname;
const TOKENIZER = new URL("../fixtures/outside/tokenizer/", import.meta.url).pathname;
const ignore = !hasNeoxTiny;

Deno.test({
  name: "import gives a model whose logits agree with float64 transformers within 1e-5 when it takes neox-tiny",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const { source } = await openWeights(MODEL);
      await writeWeightsFile(`${folder}/w.safetensors`, source);
      source.close();
      const weights = await openWeightsFile(`${folder}/w.safetensors`);
      const { model } = weights;
      const engine = await createExactEngine({ threads: 1, sha256 });
      const session = await openForInference(engine, model, (into) => readWeights(weights, into));
      weights.close();
      const { reference, tokens } = await readNeoxTiny();
      const entry = reference.tensors.get("logits");
      assert(entry);
      const expected = toFloat32(entry);
      const logits = await session.logits(tokens.subarray(0, model.sequenceLength));
      session.close();
      assert.equal(logits.length, model.sequenceLength * model.vocabularySize);
      let difference = 0, norm = 0;
      logits.forEach((logit, i) => {
        difference += (logit - (expected[i] ?? NaN)) ** 2;
        norm += (expected[i] ?? NaN) ** 2;
      });
      assert(Math.sqrt(difference / norm) < 1e-5, `relative error ${Math.sqrt(difference / norm)}`);
    }),
});

Deno.test({
  name: "export gives the tensors of neox-tiny byte for byte when it was imported",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const { source } = await openWeights(MODEL);
      await exportHuggingFace(source, folder);
      source.close();
      const read = async (path: string) =>
        parseSafetensors(await Deno.readFile(`${path}/model.safetensors`), path).tensors;
      const [ours, theirs] = [await read(folder), await read(MODEL)];
      assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
      for (const [name, { dtype, shape, data }] of theirs) {
        const tensor = ours.get(name);
        assert.deepEqual([tensor?.dtype, tensor?.shape], [dtype, shape], name);
        assert.equal(tensor?.data.toHex(), data.toHex(), name);
      }
      const config = JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
      const reference = JSON.parse(await Deno.readTextFile(`${MODEL}/config.json`));
      // Ids are rewarm's own; null is what is not said.
      for (const [name, value] of Object.entries(reference)) {
        const isOwn = ["bos_token_id", "eos_token_id", "transformers_version", "is_decoder", "classifier_dropout"];
        if (!isOwn.includes(name) && value !== null) assert.deepEqual(config[name], value, name);
      }
    }),
});

Deno.test({
  name: "the bytes of GPT-NeoX-20B's ids are the texts that the reference encoded",
  ignore,
  fn: async () => {
    const model = presetModel("pythia-410m").config;
    const { tokenizer, bytesOf } = await chooseTokenizer(model, `${TOKENIZER}20B_tokenizer.json`);
    assert.deepEqual([tokenizer.vocabularySize, tokenizer.endOfText], [50277, 0]);
    const cases: { text: string; ids: number[] }[] = JSON.parse(await Deno.readTextFile(`${TOKENIZER}cases.json`));
    for (const { text, ids } of cases) {
      const decoder = new TextOfTokens(bytesOf);
      const decoded = ids.map((id) => decoder.add(id)).join("") + decoder.end();
      assert.equal(decoded.normalize("NFC"), text.normalize("NFC"));
    }
    assert(cases.length > 10);
  },
});
