import assert from "node:assert/strict";
import { DENO_FILES } from "../../src/files/deno_file_system.ts";
import { parameterCount } from "../../src/model/config.ts";
import { exportHuggingFace } from "../../src/model/hugging_face_export.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { parseSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { readWeights } from "../../src/model/weights_source.ts";
import { withFolder } from "../temporary_folder.ts";
import { exactWeights, modelTensors, SMALL_MODEL, writeFolder } from "./hugging_face_files.ts";

const WEIGHTS = exactWeights(parameterCount(SMALL_MODEL));

/** A model in a folder, and what `use` does with it. */
async function withModel(
  use: (source: Awaited<ReturnType<typeof openHuggingFaceFolder>>, root: string) => Promise<void>,
) {
  await withFolder(async (root) => {
    await writeFolder(`${root}/model`, modelTensors(SMALL_MODEL, WEIGHTS, "F16"));
    const source = await openHuggingFaceFolder(`${root}/model`);
    try {
      await use(source, root);
    } finally {
      source.close();
    }
  });
}

async function contents(folder: string): Promise<Map<string, string>> {
  const names = await DENO_FILES.readFolder(folder);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, string]> => [name, (await Deno.readFile(`${folder}/${name}`)).toHex()]),
    ),
  );
}

Deno.test("exportHuggingFace() writes what openHuggingFaceFolder() reads, the same bytes every time", () =>
  withModel(async (source, root) => {
    const names = await exportHuggingFace(source, `${root}/a`);
    assert.deepEqual(names, ["config.json", "generation_config.json", "model.safetensors"]);
    assert.deepEqual(await DENO_FILES.readFolder(`${root}/a`), names);
    const first = await contents(`${root}/a`);
    const again = await openHuggingFaceFolder(`${root}/a`);
    assert.deepEqual(again.model, SMALL_MODEL);
    const weights = new Float32Array(WEIGHTS.length);
    await readWeights(again, weights);
    assert.deepEqual(weights, WEIGHTS);
    await exportHuggingFace(again, `${root}/b`);
    again.close();
    assert.deepEqual(await contents(`${root}/b`), first);
    await exportHuggingFace(source, `${root}/a`); // over itself
    assert.deepEqual(await contents(`${root}/a`), first);
    const { metadata } = parseSafetensors(await Deno.readFile(`${root}/a/model.safetensors`), "a");
    assert.deepEqual(metadata, { format: "pt" }, "without it transformers refuses the file");
  }));

Deno.test("exportHuggingFace() copies a tokenizer's files, and nothing else of its folder", () =>
  withModel(async (source, root) => {
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
      await Deno.writeTextFile(`${root}/model/${name}`, name);
    }
    const names = await exportHuggingFace(source, `${root}/a`, { tokenizer: `${root}/model` });
    assert.deepEqual(names.filter((name) => name.startsWith("tokenizer")), ["tokenizer.json", "tokenizer_config.json"]);
    assert.equal(await Deno.readTextFile(`${root}/a/tokenizer.json`), "tokenizer.json");
    assert.deepEqual(await DENO_FILES.readFolder(`${root}/a`), names);
    await Deno.remove(`${root}/model/tokenizer.json`);
    await assert.rejects(exportHuggingFace(source, `${root}/b`, { tokenizer: `${root}/model` }), {
      code: "FILE_NOT_FOUND",
      message: /has no "tokenizer\.json"/,
    });
  }));

Deno.test("exportHuggingFace() writes nothing into a folder that holds other files", () =>
  withModel(async (source, root) => {
    await Deno.mkdir(`${root}/a`);
    await Deno.writeTextFile(`${root}/a/model.safetensors.index.json`, "{}");
    await assert.rejects(exportHuggingFace(source, `${root}/a`), {
      code: "FOLDER_NOT_EMPTY",
      message: /holds "model\.safetensors\.index\.json", which no export writes/,
    });
    assert.deepEqual(await DENO_FILES.readFolder(`${root}/a`), ["model.safetensors.index.json"]);
  }));

Deno.test({
  name: "exportHuggingFace() copies no file that a link leads to, and writes through none",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withModel(async (source, root) => {
      await Deno.writeTextFile(`${root}/secret`, "id_ed25519");
      await Deno.mkdir(`${root}/tokenizer`);
      await Deno.writeTextFile(`${root}/tokenizer/tokenizer.json`, "{}");
      const tokenizer = `${root}/tokenizer`;
      for (const name of ["vocab.json", "merges.txt", "tokenizer_config.json"]) {
        await Deno.symlink("../secret", `${tokenizer}/${name}`);
        await assert.rejects(exportHuggingFace(source, `${root}/a`, { tokenizer }), {
          code: "NOT_A_FILE",
          message: new RegExp(`Cannot copy ".*${name}", it is a symbolic link`),
        });
        await Deno.remove(`${tokenizer}/${name}`);
      }
      await assert.rejects(Deno.stat(`${root}/a`), Deno.errors.NotFound, "nothing is written before that is known");
      await Deno.mkdir(`${root}/b`);
      await Deno.symlink("../secret", `${root}/b/config.json`);
      await assert.rejects(exportHuggingFace(source, `${root}/b`, { tokenizer }), { code: "IS_A_LINK" });
      assert.equal(await Deno.readTextFile(`${root}/secret`), "id_ed25519");
    }),
});
