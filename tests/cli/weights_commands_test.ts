/** `import`, `export`, `sample` and `evaluate` as they are typed. */
import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { parameterCount } from "../../src/model/config.ts";
import { huggingFaceConfig } from "../../src/model/hugging_face.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { modelTensors, SMALL_MODEL, writeFolder } from "../model/hugging_face_files.ts";
import { withFolder } from "../temporary_folder.ts";

/** A model of bytes. */
const MODEL = { ...SMALL_MODEL, vocabularySize: 256 };

/** Runs a command line; gives its exit code and what it printed to either stream. */
async function output(args: readonly string[]): Promise<{ code: number; text: string }> {
  const parts: string[] = [];
  const { log, error } = console;
  const { write } = Deno.stdout;
  console.log = console.error = (...words: unknown[]) => parts.push(`${words.join(" ")}\n`);
  Deno.stdout.write = (bytes) => {
    parts.push(new TextDecoder().decode(bytes));
    return Promise.resolve(bytes.length);
  };
  try {
    return { code: await main(args), text: parts.join("") };
  } finally {
    Object.assign(console, { log, error });
    Deno.stdout.write = write;
  }
}

async function writeByteModel(folder: string): Promise<void> {
  const weights = new Float32Array(parameterCount(MODEL));
  initializeWeights(MODEL, 1, weights);
  await writeFolder(folder, modelTensors(MODEL, weights), huggingFaceConfig(MODEL, 0));
}

Deno.test("main() imports a folder, exports the weights, and samples the same text from all of them", () =>
  withFolder(async (root) => {
    await writeByteModel(`${root}/model`);
    const imported = await output(["import", `${root}/model/`, "--out", `${root}/w.safetensors`]);
    assert.equal(imported.code, 0);
    assert.match(imported.text, /2 layers, hidden size 16, 2 heads, vocabulary 256, window 16/);
    assert.match(imported.text, /sha256 {3}[0-9a-f]{64} /);
    const exported = await output(["export", `${root}/w.safetensors`, "--out", `${root}/export`]);
    assert.equal(exported.code, 0);
    assert.match(exported.text, /config\.json\n.*generation_config\.json\n.*model\.safetensors\n/);

    const sample = async (path: string, ...more: string[]) => {
      const args = ["sample", path, "--prompt", "interface ", "--tokens", "12", "--threads", "1", ...more];
      const { code, text } = await output(args);
      assert.equal(code, 0);
      return text.slice(text.indexOf("\n\n") + 2);
    };
    const texts = await Promise.resolve(sample(`${root}/model`));
    assert(texts.startsWith("interface ") && texts.length > 12, texts);
    assert.equal(await sample(`${root}/w.safetensors`), texts);
    assert.equal(await sample(`${root}/export`), texts);
    const drawn = await sample(`${root}/model`, "--temperature", "2", "--top-p", "0.9", "--seed", "1");
    assert.notEqual(drawn, texts);
    assert.equal(await sample(`${root}/model`, "--temperature", "2", "--top-p", "0.9", "--seed", "1"), drawn);
    assert.notEqual(await sample(`${root}/model`, "--temperature", "2", "--top-p", "0.9", "--seed", "2"), drawn);
  }));

Deno.test("main() samples from the start of a document where the prompt is empty or not given", () =>
  withFolder(async (root) => {
    await writeByteModel(`${root}/model`);
    const sample = (...more: string[]) =>
      output(["sample", `${root}/model`, "--tokens", "5", "--threads", "1", ...more]);
    const started = await sample();
    assert.equal(started.code, 0);
    assert.deepEqual(await sample("--prompt", ""), started);
    assert.deepEqual(await sample("--prompt="), started);
  }));

for (
  const { args, code, message } of [
    { args: ["import"], code: "MISSING_ARGUMENT", message: /add --out FILE/ },
    { args: ["import", "--out", "x"], code: "MISSING_ARGUMENT", message: /No weights are named/ },
    { args: ["export", "x"], code: "MISSING_ARGUMENT", message: /add --out FOLDER/ },
    { args: ["sample"], code: "MISSING_ARGUMENT", message: /No weights are named/ },
    { args: ["sample", "nowhere"], code: "FILE_NOT_FOUND", message: /nowhere/ },
    { args: ["sample", "x", "--temperature", "hot"], code: "BAD_NUMBER", message: /--temperature" is "hot"/ },
    { args: ["sample", "x", "--top-p", "0"], code: "BAD_NUMBER", message: /above 0, at most 1/ },
    { args: ["sample", "x", "--seed", "1.5"], code: "BAD_NUMBER", message: /a whole number from 0/ },
    { args: ["evaluate"], code: "MISSING_ARGUMENT", message: /No weights are named/ },
    { args: ["evaluate", "deno.json"], code: "BAD_SAFETENSORS", message: /deno\.json/ },
  ]
) {
  Deno.test(`main() explains what is wrong with "${args.join(" ")}"`, async () => {
    await assert.rejects(main(args), { name: "UserError", code, message });
  });
}

Deno.test("main() asks for the tokenizer of a model that is not one of bytes", () =>
  withFolder(async (folder) => {
    await writeFolder(folder, modelTensors(SMALL_MODEL, new Float32Array(parameterCount(SMALL_MODEL))));
    for (const command of ["sample", "evaluate"]) {
      await assert.rejects(main([command, folder]), { code: "NO_TOKENIZER", message: /--tokenizer FILE/ });
    }
  }));
