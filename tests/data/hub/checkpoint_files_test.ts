import assert from "node:assert/strict";
import { checkpointFiles } from "../../../src/data/hub/checkpoint_files.ts";
import { userError } from "../user_error.ts";

const ID = "models/some/model@step7";
const chosen = (...paths: string[]) =>
  checkpointFiles(ID, paths.map((path) => ({ path, bytes: 1, gitBlob: "0".repeat(40) }))).map(({ path }) => path);

Deno.test("checkpointFiles() takes configuration, safetensors and their index, and nothing else", () => {
  const pythia = [
    ".gitattributes",
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "pytorch_model.bin",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ];
  assert.deepEqual(chosen(...pythia), ["config.json", "model.safetensors"]);
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  assert.deepEqual(
    chosen("config.json", ...shards, "model.safetensors.index.json", "old/model.safetensors", "tokenizer.json"),
    ["config.json", ...shards, "model.safetensors.index.json"],
  );
});

Deno.test("checkpointFiles() leaves the name of the imported weights free", () => {
  assert.deepEqual(chosen("config.json", "model.safetensors", "weights.safetensors"), [
    "config.json",
    "model.safetensors",
  ]);
  assert.throws(() => chosen("config.json", "weights.safetensors"), { code: "NO_SAFETENSORS" });
});

Deno.test("checkpointFiles() takes PyTorch's files where there are no safetensors, and no other pickle", () => {
  assert.deepEqual(chosen("config.json", "pytorch_model.bin", "tokenizer.json", "training_args.bin"), [
    "config.json",
    "pytorch_model.bin",
  ]);
  const shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
  assert.deepEqual(
    chosen("config.json", "old/pytorch_model.bin", "optimizer.bin", ...shards, "pytorch_model.bin.index.json"),
    ["config.json", ...shards, "pytorch_model.bin.index.json"],
  );
  assert.throws(() => chosen("pytorch_model.bin"), userError("NO_MODEL_CONFIG", ID, '"pytorch_model.bin"'));
});

Deno.test("checkpointFiles() names what a revision has in place of weights that are read, and what to do", () => {
  assert.throws(
    () => chosen("config.json", "model.pt", "old/pytorch_model.bin", "tokenizer.json"),
    userError("NO_SAFETENSORS", ID, '"model.pt"', "safetensors", '"start"'),
  );
  assert.throws(() => chosen("README.md", "old/model.safetensors"), userError("NO_SAFETENSORS", "among its 2"));
  assert.throws(() => chosen("model.safetensors"), userError("NO_MODEL_CONFIG", ID, '"config.json"', "step7"));
});
