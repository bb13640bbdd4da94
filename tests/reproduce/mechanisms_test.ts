/** What a plan says of runs that are more than plain training; tests/process/mechanisms_test.ts trains them. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { buildPlan, findRun, type PlanOptions, planWithout } from "../../src/experiment/plan/plan.ts";
import { formatPlan, leftOutLines } from "../../src/experiment/plan/plan_text.ts";
import { runKey } from "../../src/experiment/run/run_key.ts";
import { requirePenalties } from "../../src/train/start/penalty.ts";
import { FIXED_OPTIONS } from "../experiment/plan/plan_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { FOLDERS, MECHANISMS } from "./mechanisms.ts";

const plan = await buildPlan({ ...FIXED_OPTIONS, ...MECHANISMS, scale: "smoke" });
const all = await buildPlan({ ...FIXED_OPTIONS, ...FOLDERS, scale: "smoke" });

const runOf = (arm: string) => {
  const run = findRun(plan, "mechanisms", arm);
  assert.ok(run !== undefined, arm);
  return run;
};

Deno.test("replay is in a run's key, and without it the key is that of plain training", () => {
  for (const arm of ["replay", "replay-ramp"]) {
    const { key, specification } = runOf(arm);
    const { replay, ...plain } = specification;
    assert.ok(replay !== undefined);
    assert.notEqual(runKey(plain), key);
    assert.equal(runKey(plain), findRun(all, "warmup-length", "1%")?.key);
    assert.equal(runKey(JSON.parse(JSON.stringify(specification))), key);
  }
});

Deno.test("an order of its own is the only thing that sets a run apart from the usual one", () => {
  const [usual, other] = ["order-0", "order-1"].map((arm) => findRun(all, "noise", arm)?.specification);
  assert.ok(usual !== undefined && other !== undefined);
  assert.deepEqual({ ...other, orderSeed: usual.orderSeed }, usual);
  assert.equal(other.orderSeed, usual.orderSeed + 1);
});

Deno.test("an interpolated start has no steps, and keeps the checkpoints at both ends of its line", () => {
  const { specification: { initialWeights }, steps } = runOf("half-way");
  const end = runOf("replay");
  assert.equal(steps, 0);
  assert.ok(initialWeights.kind === "interpolation" && end.specification.initialWeights.kind === "checkpoint");
  assert.deepEqual(initialWeights.to, { run: end.key, step: end.steps });
  assert.deepEqual(initialWeights.from, end.specification.initialWeights);
  assert.deepEqual(end.checkpointSteps, [end.steps]);
  assert.equal(initialWeights.fraction, 0.5);
});

Deno.test("a pre-training of its own is started from at the share of its own length", () => {
  const long = runOf("long-pretraining");
  const { initialWeights, schedule } = runOf("from-long").specification;
  assert.ok(initialWeights.kind === "checkpoint" && initialWeights.run === long.key);
  assert.equal(long.steps, 128);
  assert.equal(initialWeights.step, 115); // 0.9 of them
  assert.deepEqual(long.specification.evaluation.landmarks, [9, 24, 115, 128]);
  assert.equal(schedule.warmupSteps, 0);
});

Deno.test("an arm may be for another of the scale's models, with a pre-training of its own", () => {
  const { model, schedule, initialWeights } = runOf("narrow").specification;
  assert.equal(model.hiddenSize, 8);
  assert.equal(schedule.maxLearningRate, 3e-3);
  assert.ok(initialWeights.kind === "checkpoint" && initialWeights.run === runOf("narrow-pretraining").key);
});

Deno.test("what a scale does not have is left out with a reason, and refused where it is asked for by name", async () => {
  const phase = { steps: 1000, batchSequences: 8, checkpointInterval: 100 };
  const evaluation = { interval: 100, denseInterval: 100, denseUntilStep: 0 };
  const overrides = { pretraining: { ...phase, evaluation }, continuing: { ...phase, evaluation } };
  const options = { ...FIXED_OPTIONS, ...FOLDERS, scale: "paper", overrides } as const;
  const { plan, leftOut } = await planWithout(options);
  const carried = leftOut.filter(({ reason }) => !reason.includes("mix"));
  assert.deepEqual(carried, [
    { arm: "mechanisms/carried", reason: "imported models come without Adam's moments" },
    { arm: "mitigation/carried", reason: "imported models come without Adam's moments" },
  ]);
  assert.deepEqual(leftOutLines(carried), [
    "left out of this plan, as imported models come without Adam's moments: mechanisms/carried, mitigation/carried",
  ]);
  assert.ok(
    leftOut.some(({ arm, reason }) => arm === "shift/overlap-5-1x" && reason === 'the data have no mix "overlap-5"'),
  );
  assert.ok(findRun(plan, "shift", "strong-1x-replay-5%") !== undefined);
  assert.equal(findRun(plan, "mitigation", "carried"), undefined);
  await rejects({ ...options, only: ["mitigation/carried"] }, /"mitigation\/carried" carries on Adam's moments/);

  const other = { ...options, changes: { model: "pythia-2.8b" } } as const;
  const models = (await planWithout({ ...other, only: ["size"] })).leftOut;
  assert.deepEqual(
    new Set(models.map(({ reason }) => reason)),
    new Set(['the scale has no model "narrow"', 'the scale has no model "wide"']),
  );
  assert.equal(models.length, 14);
  await rejects(
    { ...other, only: ["size/wide-1x"] },
    /"size\/wide-1x" is for the model "wide", which scale "paper" does not have/,
  );
});

Deno.test("the paper's own plan knows nothing of further models", async () => {
  assert.equal((await buildPlan({ ...FIXED_OPTIONS, scale: "smoke" })).scale.models, undefined);
  assert.deepEqual(Object.keys(all.scale.models ?? {}), ["narrow", "wide"]);
});

Deno.test("formatPlan() says what sets a run apart", () => {
  const text = formatPlan(plan);
  for (
    const [label, words] of [
      ["replay", "25 % replay"],
      ["replay-ramp", "replay from 50 to 5 % over 6\\.4 steps"],
      ["carried", "optimizer state carried on"],
      ["l2-sp", "L2-SP of strength 0\\.01"],
      ["ewc", "EWC of strength 10, Fisher information of 6 upstream windows"],
      ["half-way", "evaluated at 0\\.5 of the way between two models"],
    ]
  ) assert.match(text, new RegExp(`\nmechanisms_${label}_seed-0 +${words}\n`));
});

Deno.test("a penalty is refused before training where the engine computes none", () => {
  assert.throws(
    () => requirePenalties(plan.runs, { name: "cuda-bf16" }),
    /"mechanisms_l2-sp_seed-0" and 1 more have a penalty, which the engine "cuda-bf16" does not compute/,
  );
  requirePenalties(plan.runs, { name: "exact", penalties: true });
  requirePenalties(plan.runs.filter(({ specification }) => specification.penalty === undefined), { name: "cuda-bf16" });
});

async function rejects(options: PlanOptions, expected: RegExp): Promise<void> {
  const error = await buildPlan(options).then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, expected);
}

Deno.test("a mechanism that an arm cannot have is refused with its place", async () => {
  const fixture = await Deno.readTextFile(new URL("mechanisms.yaml", FOLDERS.ownExperiments));
  const refused = async (from: string, to: string, expected: RegExp) => {
    await withFolder(async (folder) => {
      assert.ok(fixture.includes(from), from);
      await Deno.writeTextFile(`${folder}/mechanisms.yaml`, fixture.replace(from, to));
      const ownExperiments = new URL(`file://${folder}/`);
      await rejects({ ...FIXED_OPTIONS, ...MECHANISMS, ownExperiments, scale: "smoke" }, expected);
    });
  };
  await refused("percent: 25", "percent: 0", /arms\.replay\.replay\.percent is 0/);
  await refused("percent: 25", "percent: 100", /arms\.replay\.replay\.percent is 100/);
  await refused("untilPercent: 10", "untilPercent: 0", /replay\.from\.untilPercent is 0/);
  await refused("corpus: downstream", "corpus: upstream", /arms\.replay\.replay .*no replay, as the corpus/);
  await refused("strength: 1e-2", "strength: 0", /l2-sp"\]\.penalty\.strength is 0/);
  await refused("fisherWindows: 6", "fisherWindows: 0", /arms\.ewc\.penalty\.fisherWindows is 0/);
  await refused("order: 3", "order: 100", /arms\.order\.order is 100/);
  await refused("fraction: 0.5", "fraction: 1", /half-way"\]\.start\.fraction is 1/);
  await refused(
    "to: mechanisms/replay,",
    "to: replay,",
    /half-way"\]\.start\.to is "replay", expected EXPERIMENT\/ARM/,
  );
  await refused("to: mechanisms/replay,", "to: mechanisms/reply,", /starts from "mechanisms\/reply", which is no arm/);
  await refused("to: mechanisms/replay,", "to: mechanisms/half-way,", /starts from itself/);
  await refused("to: mechanisms/replay,", "to: from-scratch/scratch,", /that arm starts from no model/);
  await refused("to: mechanisms/replay,", "to: mechanisms/narrow,", /has another model than "mechanisms\/narrow"/);
  await refused("tokens: 0\n", "tokens: 50e9\n", /half-way"\]\.tokens is 50000000000, expected 0 where the start/);
  await refused(
    "checkpointSteps: [128700]\n",
    "checkpointSteps: [64350]\n",
    /add 128700 to that arm's checkpointSteps/,
  );
  await refused("of: mechanisms/narrow-pretraining", "of: mechanisms/long-pretraining", /has another model than/);
  await refused("    model: narrow\n", "    model: narow\n", /the model "narow", which scale "smoke" does not have/);
});
