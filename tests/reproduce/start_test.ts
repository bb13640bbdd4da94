import assert from "node:assert/strict";
import { openCorpora } from "../../src/data/corpora.ts";
import { scaleCorpora } from "../../src/data/scale_corpora.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { exportHuggingFace } from "../../src/model/hugging_face_export.ts";
import { writeWeightsFile } from "../../src/model/weights_file.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import type { Reproduction } from "../../src/reproduce/options.ts";
import { learningRateTable } from "../../src/schedule/learning_rate.ts";
import { readCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { openWeights } from "../../src/train/checkpoint/open_weights.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { sessionOptions } from "../../src/train/session_pool.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";
import { DATA_CACHE, digestOf, kernelCache, reproduceSmoke } from "./smoke.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const ONLY = ["warmup-length/1%", "earlier-checkpoints/7%-warmup-1%"];
/** Steps of pre-training at scale smoke that stand for the paper's 10,000 and 143,000. */
const STEPS = { 4: 10_000, 64: 143_000 };

function runOf({ results }: Reproduction, arm: string): PlannedRun {
  const found = results.find(({ run }) => run.usedBy.some((use) => `${use.experiment}/${use.arm}` === arm));
  return found?.run ?? assert.fail(arm);
}

/** The steps of a run's journal, without the chain, which begins with the run's key. */
async function stepsOf(output: string, { label }: PlannedRun): Promise<string[]> {
  const text = await Deno.readTextFile(new RunFolder(output, label).journal);
  return text.split("\n").slice(1).flatMap((line) => {
    if (line === "") return [];
    const { chain: _, ...record } = JSON.parse(line);
    return [JSON.stringify(record)];
  });
}

/** Pre-trains at scale smoke and leaves its checkpoints as models: one in each of the forms that a start may have. */
async function withModels(
  use: (models: string, folder: string, trained: Reproduction) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const trained = await reproduceSmoke(`${folder}/trained`, 2, { only: ONLY });
    const models = `${folder}/models`;
    await Deno.mkdir(models);
    for (const [own, step] of Object.entries(STEPS)) {
      const { folder: run } = { folder: new RunFolder(`${folder}/trained`, "upstream_pretrain_seed-0") };
      const { source } = await openWeights(run.checkpoint(Number(own)));
      if (step === 10_000) await exportHuggingFace(source, `${models}/step${step}`);
      else await writeWeightsFile(`${models}/step${step}.safetensors`, source);
      source.close();
    }
    await use(models, folder, trained);
  });
}

Deno.test("runs that start from imported models do the same steps as from the run that trained them, and verify", async () => {
  await withModels(async (models, folder, trained) => {
    const output = `${folder}/imported`;
    const start = { path: models };
    const imported = await reproduceSmoke(output, 2, { only: ONLY, start });
    assert.equal(imported.results.length, trained.results.length - 1);
    for (const arm of ONLY) {
      const [ours, theirs] = [runOf(imported, arm), runOf(trained, arm)];
      assert.notEqual(ours.key, theirs.key);
      assert.deepEqual(await stepsOf(output, ours), await stepsOf(`${folder}/trained`, theirs), arm);
    }

    const judge = paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE);
    const report = await verifyManifestFile(imported.manifestPath, { judge });
    assert.equal(report.verdict, "verified", JSON.stringify(report.steps));

    const engine = () => createExactEngine({ threads: 2, sha256, cache: kernelCache });
    const again = { pieces: { kind: "all" }, judge, engine, dataCache: DATA_CACHE } as const;
    const retrained = await retrain(imported.manifestPath, { ...again, start });
    assert.equal(retrained.report.steps.at(-1)?.status, "ok", retrained.report.steps.at(-1)?.detail);
    const without = await retrain(imported.manifestPath, again);
    assert.match(without.report.steps.at(-1)?.detail ?? "", /name their folder with --start/);
    assert.equal(without.report.steps.at(-1)?.status, "not checked");

    const second = await reproduceSmoke(output, 2, { only: ONLY, start });
    assert(second.results.every((result) => result.kind === "trained" && result.origin === "found"));
  });
});

Deno.test("one model stands for the end of pre-training; what does not fit is refused by name", async () => {
  await withModels(async (models, folder) => {
    const path = `${models}/step143000.safetensors`;
    const one = await reproduceSmoke(`${folder}/one`, 2, { only: ["warmup-length/1%"], start: { path } });
    assert.deepEqual(one.plan.start?.state === "pinned" && one.plan.start.checkpoints.map(({ step }) => step), [
      143_000,
    ]);

    const refused = (options: Parameters<typeof reproduceSmoke>[2]) => reproduceSmoke(`${folder}/refused`, 2, options);
    await assert.rejects(
      refused({ only: ONLY, start: { path } }),
      userError("NO_START_CHECKPOINT", "earlier-checkpoints/7%-warmup-1%", "step 143000 was given"),
    );
    await assert.rejects(
      refused({ start: { path }, only: ["warmup-length/1%"], changes: { model: "pythia-14m" } }),
      userError("OTHER_MODEL", "hiddenSize", "128"),
    );
    await assert.rejects(refused({ start: { path: `${folder}/nothing` } }), userError("FILE_NOT_FOUND", "nothing"));

    await Deno.copyFile(path, `${models}/step10000.safetensors`);
    await assert.rejects(refused({ start: { path: models } }), userError("DUPLICATE_SOURCE", "10000"));
  });
});

Deno.test("optimizer-state=carried goes on with Adam's moments and their count, resumes, and retrains", async () => {
  await withFolder(async (folder) => {
    const only = ["same-data/1x"];
    const readings = { "optimizer-state": "carried" } as const;
    const output = `${folder}/carried`;
    const carried = await reproduceSmoke(output, 2, { only, readings });
    const run = runOf(carried, "same-data/1x");
    const reset = await reproduceSmoke(`${folder}/reset`, 2, { only });
    assert.notDeepEqual(
      await stepsOf(output, run),
      await stepsOf(`${folder}/reset`, runOf(reset, "same-data/1x")),
    );

    // The first steps, done by hand on the engine.
    const { specification } = run;
    const engine = await createExactEngine({ threads: 1, sha256, cache: kernelCache });
    const session = await engine.open(sessionOptions(run));
    const { sequenceLength } = specification.model;
    const corpora = await openCorpora({
      ...scaleCorpora(carried.plan.scale),
      sequenceLength,
      cacheFolder: DATA_CACHE,
    });
    const parent = carried.results[0]?.run ?? assert.fail();
    const checkpoint = new RunFolder(output, parent.label).checkpoint(parent.steps);
    await session.writeState(async (state) => {
      await readCheckpoint(checkpoint, specification.model, state, { run: parent.key, step: parent.steps });
    });
    const rates = learningRateTable(specification.schedule);
    const losses = (await Deno.readTextFile(new RunFolder(output, run.label).journal)).split("\n")
      .map((line) => line === "" ? {} : JSON.parse(line)).filter(({ loss }) => loss !== undefined);
    for (let step = 0; step < 5; step++) {
      const batch = await corpora.upstream.batch(step, specification.batchSequences, specification.orderSeed);
      const { loss } = await session.step(batch.tokens, rates[step] ?? 0, parent.steps + step);
      const bits = new DataView(new Float32Array([loss]).buffer).getUint32(0, true).toString(16).padStart(8, "0");
      assert.equal(losses[step]?.loss, bits, `step ${step}`);
    }
    session.close();
    corpora.upstream.close();
    corpora.downstream.close();

    const retrained = await retrain(carried.manifestPath, {
      judge: paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE),
      pieces: { kind: "all" },
      engine: () => createExactEngine({ threads: 2, sha256, cache: kernelCache }),
      dataCache: DATA_CACHE,
    });
    assert.equal(retrained.report.steps.at(-1)?.status, "ok", retrained.report.steps.at(-1)?.detail);

    const stop = new AbortController();
    const events = {
      onProgress: ({ run, step }: { run: PlannedRun; step: number }) => {
        if (run.usedBy.length > 0 && step >= 6) stop.abort();
      },
    };
    const interrupted = { only, readings, signal: stop.signal, events };
    await assert.rejects(reproduceSmoke(`${folder}/again`, 2, interrupted), Interrupted);
    assert.equal(digestOf(await reproduceSmoke(`${folder}/again`, 2, { only, readings })), digestOf(carried));
  });
});
