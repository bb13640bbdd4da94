import assert from "node:assert/strict";
import { readJournalFile } from "../../src/train/journal/journal.ts";
import { parseCurves } from "../../src/results/curves_schema.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { type RunResult, trainPlan } from "../../src/train/train_plan.ts";
import { fakeEngine, fakePlan } from "./fake_training.ts";
import { withFolder } from "../temporary_folder.ts";

function byLabel(results: readonly RunResult[], part: string): RunResult {
  const result = results.find(({ run }) => run.label.includes(part));
  assert(result, part);
  return result;
}

Deno.test("trainPlan() ends a run that diverges with a record of it, and goes on with the others", async () => {
  await withFolder(async (output) => {
    const engine = fakeEngine((step, learningRate) => step === 5 && learningRate > 4e-3 ? NaN : undefined);
    const { plan, corpora } = await fakePlan(engine, ["max-learning-rate"]);
    const results = await trainPlan({ runs: plan.runs, engine, corpora, output });

    const diverged = byLabel(results, "_2x_");
    assert(diverged.kind === "trained" && diverged.record.outcome.kind === "diverged");
    assert.deepEqual(diverged.record.outcome, { kind: "diverged", step: 5, value: "NaN" });
    const folder = new RunFolder(output, diverged.run.label);
    const journal = await readJournalFile(folder.journal, diverged.run.key);
    assert.equal(journal.divergence?.value, "7fc00000");
    assert.equal(journal.steps, 5);
    assert.equal(journal.problem, undefined);
    assert.equal(parseCurves(await folder.readCurvesText(), folder.curves).diverged?.step, 5);

    const fine = byLabel(results, "_0.5x_");
    assert(fine.kind === "trained" && fine.record.outcome.kind === "completed");

    // A run that diverged is done: it is not trained again.
    const again = byLabel(await trainPlan({ runs: plan.runs, engine, corpora, output }), "_2x_");
    assert(again.kind === "trained" && again.origin === "found");
  });
});

Deno.test("trainPlan() skips what would start from a checkpoint that was never reached, and says why", async () => {
  await withFolder(async (output) => {
    const engine = fakeEngine((step) => step === 20 ? Infinity : undefined);
    const { plan, corpora } = await fakePlan(engine, ["earlier-checkpoints"]);
    const results = await trainPlan({ runs: plan.runs, engine, corpora, output });
    const late = byLabel(results, "warmup-length_0%");
    assert(late.kind === "skipped");
    assert.match(late.reason, /"upstream_pretrain_seed-0", diverged at step 20, before step 64/);
    assert.equal(byLabel(results, "_7%-warmup-0%").kind, "trained");
    assert.equal(byLabel(results, "_19%-warmup-1%").kind, "trained");
  });
});

Deno.test("trainPlan() evaluates and keeps checkpoints where the specification says, and nowhere else", async () => {
  await withFolder(async (output) => {
    const engine = fakeEngine();
    const { plan, corpora } = await fakePlan(engine, ["upstream", "max-learning-rate/1x"]);
    const results = await trainPlan({ runs: plan.runs, engine, corpora, output });
    const upstream = byLabel(results, "upstream");
    assert(upstream.kind === "trained");
    const folder = new RunFolder(output, upstream.run.label);
    const { checkpointInterval, evaluation } = upstream.run.specification;
    assert.deepEqual(
      (await folder.checkpointSteps()).reverse(),
      [...new Set([16, 32, 48, 64, ...evaluation.landmarks])].sort((a, b) => a - b),
    );
    assert.equal(checkpointInterval, 16);
    assert.deepEqual(upstream.record.states.map(({ step }) => step), [
      0,
      ...(await folder.checkpointSteps()).reverse(),
    ]);
    const points = parseCurves(await folder.readCurvesText(), folder.curves).points;
    assert.equal(points[0]?.step, 0);
    assert.equal(points.at(-1)?.step, 64);
  });
});
