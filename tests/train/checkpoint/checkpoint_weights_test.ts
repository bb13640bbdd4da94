import assert from "node:assert/strict";
import type { Engine, Session } from "../../../src/engine/engine.ts";
import { planToJson } from "../../../src/experiment/plan/plan_json.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { readWeights, type WeightsSource } from "../../../src/model/weights_source.ts";
import { writeWeightsFile } from "../../../src/model/weights_file.ts";
import { checkpointName, FIRST_MOMENT, writeCheckpoint } from "../../../src/train/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../../src/train/checkpoint/checkpoint_weights.ts";
import { evaluateCorpus } from "../../../src/train/evaluation/domain_losses.ts";
import { Validation } from "../../../src/train/evaluation/evaluation.ts";
import { openWeights } from "../../../src/train/checkpoint/open_weights.ts";
import { stateDigest } from "../../../src/train/checkpoint/state_digest.ts";
import { parseSafetensors } from "../../../src/formats/safetensors/safetensors.ts";
import { exactWeights } from "../../model/hugging_face_files.ts";
import { withFolder } from "../../temporary_folder.ts";
import { fakePlan } from "../fake_training.ts";

const ENGINE: Pick<Engine, "level" | "arithmetic"> = { level: "machine_to_machine", arithmetic: "fake/1" };
const STEP = 7;
const { plan, corpora } = await fakePlan(ENGINE, ["upstream"]);
const [RUN] = plan.runs;
assert(RUN);
const MODEL = RUN.specification.model;
const SIZE = parameterCount(MODEL);

/** A state of different vectors. */
function someState(engineState?: Uint8Array<ArrayBuffer>) {
  const weights = exactWeights(SIZE);
  return {
    weights,
    firstMoments: weights.map((w) => w / 2),
    secondMoments: weights.map((w) => w * w),
    engineState,
  };
}

/** An output folder with its plan and a checkpoint in its place; returns the checkpoint's path. */
async function writeOutput(folder: string, engineState?: Uint8Array<ArrayBuffer>): Promise<string> {
  assert(RUN);
  await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify(planToJson(plan)));
  const path = `${folder}/runs/${RUN.label}/checkpoints/${checkpointName(STEP)}`;
  const state = someState(engineState);
  const dataPosition = STEP * RUN.specification.batchSequences;
  const info = { run: RUN.key, step: STEP, dataPosition, state: stateDigest(state, STEP, dataPosition) };
  await writeCheckpoint(path, MODEL, state, info);
  return path;
}

async function load(source: WeightsSource): Promise<Float32Array> {
  try {
    const weights = new Float32Array(parameterCount(source.model));
    await readWeights(source, weights);
    return weights;
  } finally {
    source.close();
  }
}

for (const engineState of [undefined, Uint8Array.of(1, 2, 255)]) {
  const what = engineState === undefined ? "" : ", with an engine's own state in its digest";
  Deno.test(`openCheckpoint() takes the model from the plan and the weights from the file${what}`, () =>
    withFolder(async (folder) => {
      const source = await openCheckpoint(await writeOutput(folder, engineState));
      assert.deepEqual(source.model, MODEL);
      assert.deepEqual([source.info.step, source.run.label], [STEP, RUN.label]);
      assert.deepEqual(await load(source), exactWeights(SIZE));
    }));
}

Deno.test("openCheckpoint() holds the moments against the state's digest too", () =>
  withFolder(async (folder) => {
    const path = await writeOutput(folder);
    const bytes = await Deno.readFile(path);
    const { tensors } = parseSafetensors(bytes, path);
    const moment = tensors.get(`${FIRST_MOMENT}gpt_neox.final_layer_norm.bias`);
    assert(moment);
    moment.data[0] = (moment.data[0] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    await assert.rejects(async () => load(await openCheckpoint(path)), {
      code: "BAD_CHECKPOINT",
      message: /State of ".*" has the digest/,
    });
  }));

Deno.test("openCheckpoint() says where a plan is needed, and refuses another one", () =>
  withFolder(async (folder) => {
    const path = await writeOutput(folder);
    await Deno.rename(`${folder}/plan.json`, `${folder}/elsewhere.json`);
    await assert.rejects(openCheckpoint(path), { name: "UserError", code: "NO_PLAN", message: /--plan FILE/ });
    (await openCheckpoint(path, { plan: `${folder}/elsewhere.json` })).close();
    const { plan: other } = await fakePlan({ ...ENGINE, arithmetic: "other/1" }, ["upstream"]);
    await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify(planToJson(other)));
    await assert.rejects(openCheckpoint(path), { code: "CHECKPOINT_OF_ANOTHER_PLAN" });
    await Deno.writeTextFile(`${folder}/plan.json`, "{");
    await assert.rejects(openCheckpoint(path), { code: "PLAN_DAMAGED", message: /not strict JSON/ });
  }));

Deno.test("openWeights() tells a checkpoint, a file of weights and other files apart", () =>
  withFolder(async (folder) => {
    const path = await writeOutput(folder);
    const checkpoint = await openWeights(path);
    assert.equal(checkpoint.kind, "checkpoint");
    await writeWeightsFile(`${folder}/w.safetensors`, checkpoint.source);
    checkpoint.source.close();
    const weights = await openWeights(`${folder}/w.safetensors`);
    assert.equal(weights.kind, "weights");
    assert.deepEqual(await load(weights.source), exactWeights(SIZE));
    await assert.rejects(openWeights(folder), { code: "FILE_NOT_FOUND", message: /config\.json/ });
    await assert.rejects(openWeights(`${folder}/plan.json`), { code: "BAD_SAFETENSORS" });
    await assert.rejects(openWeights(`${folder}/none`), { code: "FILE_NOT_FOUND" });
  }));

Deno.test("evaluateCorpus() gives the number that training writes, and the means of its parts", async () => {
  const session: Pick<Session, "evaluate"> = {
    evaluate: (tokens) =>
      Promise.resolve(
        Float32Array.from(
          { length: tokens.length / (MODEL.sequenceLength + 1) },
          (_, i) => 100 + 0.3 * i + (tokens[i] ?? 0),
        ),
      ),
  };
  const windows = 6;
  const domains = ["a", "b", "a", "a", "b", "c"];
  const corpus = {
    ...corpora.upstream,
    validationWindows: async (count: number) => ({ ...(await corpora.upstream.validationWindows(count)), domains }),
  };
  const found = await evaluateCorpus(session, corpus, windows, MODEL.sequenceLength);
  const validation = await Validation.load(corpora, { windows });
  const { upstream } = await validation.losses(session as Session, MODEL.sequenceLength);
  assert.equal(found.loss, upstream);
  assert.deepEqual([...found.domains].map(([domain, { windows }]) => [domain, windows]), [["a", 3], ["b", 2], [
    "c",
    1,
  ]]);
  const weighted = [...found.domains.values()].reduce((sum, { windows, loss }) => sum + windows * loss, 0);
  assert(Math.abs(weighted / windows / upstream - 1) < 1e-12);
});
