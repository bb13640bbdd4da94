import assert from "node:assert/strict";
import { parameterCount } from "../../src/model/config.ts";
import { huggingFaceConfig, parseHuggingFaceConfig } from "../../src/model/hugging_face.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { withFolder } from "../temporary_folder.ts";
import {
  encode,
  exactWeights,
  type FileTensor,
  loadSmallModel,
  modelTensors,
  oldBuffers,
  SMALL_MODEL,
  writeFolder,
  writeShards,
} from "./hugging_face_files.ts";

const WEIGHTS = exactWeights(parameterCount(SMALL_MODEL));

for (const dtype of ["F32", "F16", "BF16"] as const) {
  Deno.test(`openHuggingFaceFolder() reads ${dtype}, whole and in shards, the same`, () =>
    withFolder(async (folder) => {
      const tensors = modelTensors(SMALL_MODEL, WEIGHTS, dtype);
      await writeFolder(`${folder}/whole`, tensors);
      await writeShards(`${folder}/shards`, tensors.toReversed());
      assert.deepEqual(await loadSmallModel(`${folder}/whole`), WEIGHTS);
      assert.deepEqual(await loadSmallModel(`${folder}/shards`), WEIGHTS);
    }));
}

Deno.test("openHuggingFaceFolder() passes over the buffers of old files, and knows both names of the output head", () =>
  withFolder(async (folder) => {
    const tensors = modelTensors(SMALL_MODEL, WEIGHTS, "F16").map((tensor) =>
      tensor.name === "embed_out.weight" ? { ...tensor, name: "lm_head.weight" } : tensor
    );
    await writeFolder(folder, [...oldBuffers(SMALL_MODEL), ...tensors]);
    assert.deepEqual(await loadSmallModel(folder), WEIGHTS);
  }));

Deno.test("openHuggingFaceFolder() follows links, as the hub's cache has them", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/blobs`, modelTensors(SMALL_MODEL, WEIGHTS));
    await Deno.mkdir(`${folder}/snapshot`);
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.symlink(`../blobs/${name}`, `${folder}/snapshot/${name}`);
    }
    assert.deepEqual(await loadSmallModel(`${folder}/snapshot`), WEIGHTS);
  }));

Deno.test("huggingFaceConfig() is read back by either spelling alone", () => {
  const { rope_parameters: _new, ...old } = huggingFaceConfig(SMALL_MODEL, 0);
  const { rotary_pct: _fraction, rotary_emb_base: _base, ...recent } = huggingFaceConfig(SMALL_MODEL, 0);
  for (const config of [old, recent]) assert.deepEqual(parseHuggingFaceConfig(config, "config.json"), SMALL_MODEL);
});

const TENSORS = modelTensors(SMALL_MODEL, WEIGHTS);
const NORM = "gpt_neox.final_layer_norm.bias";

/** The tensors with one of them altered. */
function altered(change: Partial<FileTensor>, name = NORM): FileTensor[] {
  return TENSORS.map((tensor) => tensor.name === name ? { ...tensor, ...change } : tensor);
}

const REFUSED: [what: string, tensors: FileTensor[], message: RegExp][] = [
  ["a missing tensor", TENSORS.filter(({ name }) => name !== NORM), /has no tensor "gpt_neox\.final_layer_norm\.bias"/],
  ["another shape", altered({ shape: [4, 4] }), /has the shape \[4,4\], expected \[16\]/],
  [
    "integers",
    altered({ dtype: "I32" }),
    /has the type I32, expected F16, BF16, F32 or F64/,
  ],
  [
    "a layer more than the configuration has",
    [...TENSORS, {
      name: "gpt_neox.layers.2.attention.bias",
      dtype: "U8",
      shape: [1],
      bytes: new Uint8Array(1),
    }],
    /has a tensor "gpt_neox\.layers\.2\.attention\.bias", which a model of its configuration does not have/,
  ],
  [
    "a tensor of something else",
    [...TENSORS, { name: "lm_head.weight", dtype: "F32", shape: [1], bytes: new Uint8Array(4) }],
    /has a tensor "lm_head\.weight"/,
  ],
  [
    "NaN",
    altered({ bytes: encode(exactWeights(16).fill(NaN, 15), "F32") }),
    /Tensor "gpt_neox\.final_layer_norm\.bias" of ".*model\.safetensors" has an element that is not a finite number/,
  ],
];

for (const [what, tensors, message] of REFUSED) {
  Deno.test(`openHuggingFaceFolder() refuses ${what}`, () =>
    withFolder(async (folder) => {
      await writeFolder(folder, tensors);
      await assert.rejects(loadSmallModel(folder), { name: "UserError", code: "BAD_CHECKPOINT", message });
    }));
}

const BAD_INDEXES: [what: string, change: (map: Record<string, string>) => Record<string, string>, message: RegExp][] =
  [
    ["leads out of the folder", (map) => ({ ...map, [NORM]: "../model.safetensors" }), /is in another folder/],
    ["names a file by another case of itself", (map) => ({ ...map, [NORM]: "con" }), /names the device/],
    [
      "has a tensor in the wrong shard",
      (map) => ({ ...map, [NORM]: "model-00002-of-00002.safetensors" }),
      /is in "model-00001-of-00002\.safetensors" of ".*", but model\.safetensors\.index\.json has it in "model-00002/,
    ],
    [
      "does not name a tensor",
      ({ [NORM]: _, ...map }) => map,
      /Tensor "gpt_neox\.final_layer_norm\.bias" .* model\.safetensors\.index\.json does not name it/,
    ],
    [
      "names a tensor that no shard has",
      (map) => ({ ...map, more: "model-00001-of-00002.safetensors" }),
      /"model-00001-of-00002\.safetensors" of ".*" has no tensor "more"/,
    ],
  ];

for (const [what, change, message] of BAD_INDEXES) {
  Deno.test(`openHuggingFaceFolder() refuses an index that ${what}`, () =>
    withFolder(async (folder) => {
      await writeShards(folder, TENSORS, change);
      await assert.rejects(loadSmallModel(folder), { name: "UserError", code: "BAD_CHECKPOINT", message });
    }));
}

Deno.test("openHuggingFaceFolder() says what a folder lacks", () =>
  withFolder(async (folder) => {
    await assert.rejects(openHuggingFaceFolder(folder), { code: "FILE_NOT_FOUND", message: /config\.json/ });
    await Deno.writeTextFile(`${folder}/config.json`, '{"model_type":');
    await assert.rejects(openHuggingFaceFolder(folder), { code: "BAD_MODEL_CONFIG", message: /not strict JSON/ });
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(huggingFaceConfig(SMALL_MODEL, 0)));
    await assert.rejects(openHuggingFaceFolder(folder), {
      code: "FILE_NOT_FOUND",
      message: /has none of "model\.safetensors", /,
    });
    await Deno.writeTextFile(`${folder}/model.pt`, "");
    await assert.rejects(openHuggingFaceFolder(folder), {
      code: "FILE_NOT_FOUND",
      message: /only "model\.pt": save the model again as safetensors/,
    });
  }));

Deno.test("openHuggingFaceFolder() refuses a vocabulary whose rows of padding were cut off", () =>
  withFolder(async (folder) => {
    await writeFolder(folder, TENSORS, { ...huggingFaceConfig(SMALL_MODEL, 0), vocab_size: 50277 });
    await assert.rejects(openHuggingFaceFolder(folder), {
      code: "BAD_MODEL_CONFIG",
      message: /describes a model that rewarm cannot compute, vocabularySize: .*multiple of 8/,
    });
  }));
