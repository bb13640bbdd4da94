/** `evaluate` on the data of a scale. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { main } from "../../src/cli/main.ts";
import { withHubPins } from "../../src/data/hub/lock.ts";
import { slimPajamaWeights } from "../../src/data/slimpajama.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { planToJson } from "../../src/experiment/plan/plan_json.ts";
import { HubCache } from "../../src/hub/cache.ts";
import { parameterCount } from "../../src/model/config.ts";
import { huggingFaceConfig } from "../../src/model/hugging_face.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { checkpointName, writeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { stateDigest } from "../../src/train/checkpoint/state_digest.ts";
import { SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";
import { story } from "../data/fixtures.ts";
import { lay } from "../data/hub/laid_repository.ts";
import { modelTensors, SMALL_MODEL, writeFolder } from "../model/hugging_face_files.ts";
import { withFolder } from "../temporary_folder.ts";
import { fakePlan } from "../train/fake_training.ts";
import { output } from "./output.ts";

/** A model of the small tokenizer's ids, in whole rows that the kernels take. */
const MODEL = { ...SMALL_MODEL, vocabularySize: 640 };
const DOMAINS = Object.keys(slimPajamaWeights());

/** Documents of all domains in turn. */
function lines(count: number, first: number): Uint8Array<ArrayBuffer> {
  const text = Array.from({ length: count }, (_, i) => {
    const meta = { redpajama_set_name: DOMAINS[i % DOMAINS.length] };
    return `${JSON.stringify({ text: story(first + i, 30), meta })}\n`;
  });
  return zstdCompressSync(text.join(""));
}

/** What `data fetch --scale small` leaves, as far as a few windows need it; gives the options that name it. */
async function laySmall(folder: string): Promise<string[]> {
  const cache = new HubCache(`${folder}/hub`);
  const rows = Uint16Array.from({ length: 70 * 2049 }, (_, i) => 1 + (i % 500));
  const pins = {
    "datasets/EleutherAI/pile-standard-pythia-preshuffled": await lay(
      cache,
      "EleutherAI/pile-standard-pythia-preshuffled",
      { "document-00000-of-00020.bin": new Uint8Array(rows.buffer) },
    ),
    "datasets/mit-han-lab/pile-val-backup": await lay(cache, "mit-han-lab/pile-val-backup", {
      "val.jsonl.zst": lines(280, 3000),
    }),
    "datasets/cerebras/SlimPajama-627B": await lay(cache, "cerebras/SlimPajama-627B", {
      "train/chunk1/a.jsonl.zst": lines(70, 0),
      "validation/chunk1/a.jsonl.zst": lines(70, 1000),
    }),
    "models/EleutherAI/gpt-neox-20b": await lay(
      cache,
      "EleutherAI/gpt-neox-20b",
      { "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER) },
      "model",
    ),
  };
  await Deno.writeTextFile(`${folder}/lock.yaml`, withHubPins("version: 1\npackages: {}\nfiles: {}\n", pins));
  return ["--scale", "small", "--lockfile", `${folder}/lock.yaml`, "--cache", cache.folder];
}

async function writeModel(folder: string): Promise<void> {
  const weights = new Float32Array(parameterCount(MODEL));
  initializeWeights(MODEL, 1, weights);
  await writeFolder(folder, modelTensors(MODEL, weights), huggingFaceConfig(MODEL, 0));
}

/** Runs with a working folder, where prepared corpora are kept. */
async function within<T>(folder: string, run: () => Promise<T>): Promise<T> {
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    return await run();
  } finally {
    Deno.chdir(before);
  }
}

Deno.test("main() evaluates weights on a scale's datasets, blended as its plan blends them", () =>
  withFolder(async (folder) => {
    await writeModel(`${folder}/model`);
    const scale = await laySmall(folder);
    const args = ["evaluate", `${folder}/model`, ...scale, "--windows", "40", "--threads", "1", "--json"];
    const { code, text } = await within(folder, () => output(args));
    assert.equal(code, 0);
    const { upstream, downstream } = JSON.parse(text);
    assert.equal(upstream.windows, 40);
    assert(Math.abs(upstream.loss - 6.46) < 0.5, `${upstream.loss} of weights that know nothing of 640 ids`);
    const windows = DOMAINS.map((name) => downstream.domains[name].windows);
    assert.deepEqual(windows, [1, 1, 2, 2, 2, 6, 26], "by the paper's weights");
  }));

Deno.test("main() evaluates on files with the scale's tokenizer, and asks for data that are not here", () =>
  withFolder(async (folder) => {
    await writeModel(`${folder}/model`);
    const scale = await laySmall(folder);
    await Deno.writeFile(`${folder}/text.jsonl.zst`, lines(100, 0));
    await Deno.writeFile(`${folder}/more.jsonl.zst`, lines(100, 200));
    const files = ["--upstream", `${folder}/text.jsonl.zst`, "--downstream", `${folder}/more.jsonl.zst`];
    const args = ["evaluate", `${folder}/model`, "--windows", "5", "--threads", "1", "--json", ...files];
    const losses = async (...more: string[]) =>
      JSON.parse((await within(folder, () => output([...args, ...more]))).text).upstream.loss;
    const expected = await losses("--tokenizer", SMALL_TOKENIZER);
    assert.equal(await losses(...scale), expected);
    assert.notEqual(await losses(...scale, "--tokenizer", "bytes"), expected);
    await assert.rejects(within(folder, () => main(args)), { code: "NO_TOKENIZER", message: /--scale NAME/ });
    await Deno.remove(`${folder}/hub`, { recursive: true });
    const missing = ["evaluate", `${folder}/model`, ...scale];
    await assert.rejects(within(folder, () => main(missing)), { code: "LISTING_NOT_CACHED", message: /data fetch/ });
  }));

Deno.test("main() evaluates a checkpoint on the data of its plan's scale", () =>
  withFolder(async (folder) => {
    const { plan } = await fakePlan({ level: "machine_to_machine", arithmetic: "fake/1" }, ["upstream"]);
    const [run] = plan.runs;
    assert(run);
    const { data } = await loadScale("small");
    const { planDigest: _, ...content } = { ...plan, scale: { ...plan.scale, data } };
    const elsewhere = { ...content, planDigest: sha256(canonicalJson(content)) };
    await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify(planToJson(elsewhere)));
    const { model } = run.specification;
    const [weights, firstMoments, secondMoments] = [1, 2, 3].map(() => new Float32Array(parameterCount(model)));
    assert(weights && firstMoments && secondMoments);
    const state = { weights, firstMoments, secondMoments };
    const info = { run: run.key, step: 1, dataPosition: 1, state: stateDigest(state, 1, 1) };
    const checkpoint = `${folder}/runs/${run.label}/checkpoints/${checkpointName(1)}`;
    await writeCheckpoint(checkpoint, model, state, info);
    await Deno.writeTextFile(`${folder}/lock.yaml`, "version: 1\npackages: {}\nfiles: {}\n");
    const args = ["evaluate", checkpoint, "--lockfile", `${folder}/lock.yaml`];
    await assert.rejects(main(args), { code: "NOT_LOCKED", message: /EleutherAI\/gpt-neox-20b/ });
  }));
