import assert from "node:assert/strict";
import type { DataLock } from "../../../src/data/data_lock.ts";
import { lockId } from "../../../src/data/hub/lock.ts";
import { hubStartWeights, startRepositories } from "../../../src/data/hub/start_weights.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { loadScale } from "../../../src/experiment/catalogue.ts";
import { folderOf } from "../../../src/files/durable.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { openHuggingFaceFolder } from "../../../src/model/hugging_face_folder.ts";
import { openWeightsFile, writeWeightsFile } from "../../../src/model/weights_file.ts";
import { exactWeights, modelTensors, SMALL_MODEL, writeFolder } from "../../model/hugging_face_files.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../user_error.ts";

const MODEL = "some/pythia";
const STEPS = [10, 27];
const WEIGHTS = exactWeights(parameterCount(SMALL_MODEL));

function commitOf(step: number): string {
  return step.toString(16).padStart(40, "0").split("").reverse().join("");
}

/** A lockfile with the checkpoints after some steps. */
function lockOf(steps: readonly number[]): DataLock {
  const pins = steps.map((step) => [`models/${MODEL}@step${step}`, {
    revision: commitOf(step),
    files: 2,
    bytes: 1000,
    listing: sha256(`${step}`),
    trusted: "2026-11-23",
  }]);
  return { name: "my.lock.yaml", packages: {}, files: {}, hub: Object.fromEntries(pins) };
}

interface Case {
  readonly options: Parameters<typeof hubStartWeights>[0];
  readonly pathOf: (step: number) => string;
}

/** Weights as `data fetch` leaves them, after both steps the same but for the first element. */
async function withWeights(use: (given: Case) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const pathOf = (step: number) =>
      `${folder}/hub/models/${MODEL}@step${step}/${commitOf(step).slice(0, 12)}/weights.safetensors`;
    for (const step of STEPS) {
      await writeFolder(folderOf(pathOf(step)), modelTensors(SMALL_MODEL, WEIGHTS.with(0, step / 8), "F16"));
      const source = await openHuggingFaceFolder(folderOf(pathOf(step)));
      await writeWeightsFile(pathOf(step), source);
      source.close();
    }
    const options = { model: MODEL, shape: SMALL_MODEL, steps: STEPS, lock: lockOf(STEPS), hubCache: `${folder}/hub` };
    await use({ options, pathOf });
  });
}

Deno.test("hubStartWeights() gives path, digest and commit of each checkpoint, in the order of the steps", () =>
  withWeights(async ({ options, pathOf }) => {
    const expected = STEPS.map((step) => ({
      step,
      path: pathOf(step),
      weights: sha256(new Uint8Array(WEIGHTS.with(0, step / 8).buffer)),
      revision: commitOf(step),
      repository: MODEL,
    }));
    assert.deepEqual(await hubStartWeights(options), expected);
    assert.deepEqual(await hubStartWeights({ ...options, steps: [27, 10] }), expected.toReversed());
    assert.deepEqual(await hubStartWeights({ ...options, steps: [] }), []);
  }));

Deno.test("hubStartWeights() reads headers alone; who reads the weights finds what was altered", () =>
  withWeights(async ({ options, pathOf }) => {
    const before = await hubStartWeights(options);
    const bytes = await Deno.readFile(pathOf(10));
    bytes[bytes.length - 2] = 1 ^ (bytes.at(-2) ?? 0);
    await Deno.writeFile(pathOf(10), bytes);
    assert.deepEqual(await hubStartWeights(options), before);
    const opened = await openWeightsFile(pathOf(10));
    await assert.rejects(Array.fromAsync(opened.pieces()), { code: "BAD_CHECKPOINT" });
    opened.close();
  }));

Deno.test("hubStartWeights() says which command is missing", () =>
  withWeights(async ({ options, pathOf }) => {
    const unlocked = { ...options, lock: lockOf([10]) };
    await assert.rejects(
      hubStartWeights(unlocked),
      userError("NOT_LOCKED", `models/${MODEL}@step27`, "my.lock.yaml", "deno task data lock"),
    );
    const moved = lockOf(STEPS);
    const pin = moved.hub[`models/${MODEL}@step27`];
    assert(pin !== undefined);
    const hub = { ...moved.hub, [`models/${MODEL}@step27`]: { ...pin, revision: "f".repeat(40) } };
    await assert.rejects(
      hubStartWeights({ ...options, lock: { ...moved, hub } }),
      userError("DATA_NOT_FETCHED", "ffffffffffff", "step27", "data fetch --scale NAME --only start"),
    );
    const bytes = await Deno.readFile(pathOf(10));
    await Deno.writeFile(pathOf(10), bytes.subarray(0, -8));
    await assert.rejects(hubStartWeights(options), userError("DATA_NOT_FETCHED", pathOf(10)));
    await Deno.copyFile(pathOf(10).replace("weights.", "model."), pathOf(10));
    await assert.rejects(hubStartWeights(options), userError("DATA_NOT_FETCHED", pathOf(10)));
    await Deno.remove(pathOf(10));
    await assert.rejects(hubStartWeights(options), userError("DATA_NOT_FETCHED", pathOf(10)));
  }));

Deno.test("hubStartWeights() refuses weights of another model, with both shapes", () =>
  withWeights(async ({ options, pathOf }) => {
    const shape = { ...SMALL_MODEL, layers: 3, rotaryBase: 500, sequenceLength: 8 };
    await assert.rejects(
      hubStartWeights({ ...options, shape }),
      userError("OTHER_MODEL", pathOf(10), "layers 2, rotaryBase 10000", "layers 3, rotaryBase 500"),
    );
  }));

Deno.test("startRepositories() are the paper's checkpoints, and none where a scale trains its own", async () => {
  const scale = await loadScale("tiny");
  assert.deepEqual(startRepositories(scale), []);
  assert.deepEqual(startRepositories({ ...scale, start: { kind: "train" } }), []);
  const start = { kind: "huggingface", model: "EleutherAI/pythia-410m" } as const;
  assert.deepEqual(startRepositories({ ...scale, start }).map(lockId), [
    "models/EleutherAI/pythia-410m@step10000",
    "models/EleutherAI/pythia-410m@step27000",
    "models/EleutherAI/pythia-410m@step143000",
  ]);
});
