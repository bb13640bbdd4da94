import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/errors.ts";
import { runCost } from "../../../src/experiment/plan/cost.ts";
import { isEvaluationStep } from "../../../src/experiment/run/evaluation.ts";
import { buildPlan, findRun, type Plan } from "../../../src/experiment/plan/plan.ts";
import type { PlannedRun, RunSpecification } from "../../../src/experiment/run/run.ts";
import { runKey } from "../../../src/experiment/run/run_key.ts";
import { FIXED_OPTIONS, fixedPlan, FIXTURE_CATALOGUE } from "./plan_fixture.ts";

/** With Pythia's own pre-training in the plan. */
const paper = await fixedPlan("paper", { start: "train" });
const tiny = await fixedPlan("tiny");
const smoke = await fixedPlan("smoke");

function runOf(plan: Plan, reference: string, seedIndex = 0): PlannedRun {
  const [experiment = "", arm = ""] = reference.split("/");
  const run = findRun(plan, experiment, arm, seedIndex);
  assert.ok(run !== undefined, reference);
  return run;
}

/** Every arm as `experiment/arm` with its seed and steps. */
function uses(plan: Plan) {
  return plan.runs.flatMap((run) =>
    run.usedBy.map((use) => ({ run, ...use, reference: `${use.experiment}/${use.arm}` }))
  );
}

async function userError(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof UserError, String(error));
  return error;
}

Deno.test("buildPlan() at the paper's scale has the paper's batch, horizon and warm-ups", () => {
  const upstream = runOf(paper, "upstream/pretrain");
  assert.equal(upstream.steps, 143_000);
  assert.deepEqual(upstream.checkpointSteps, [10_000, 27_000, 143_000]);
  assert.equal(upstream.specification.batchSequences * upstream.specification.model.sequenceLength, 2_097_152);
  assert.deepEqual(upstream.specification.schedule, {
    kind: "paper",
    totalSteps: 143_000,
    warmupSteps: 1430,
    maxLearningRate: 3e-4,
    minLearningRate: 3e-4 * 0.1,
  });
  for (const { run } of uses(paper).filter(({ experiment }) => experiment !== "upstream")) {
    assert.equal(run.specification.schedule.totalSteps, 131_296);
    assert.equal(run.specification.batchSequences * run.specification.model.sequenceLength, 2_260_992);
  }
  const warmups = ["0%", "0.5%", "1%", "2%"].map((arm) => runOf(paper, `warmup-length/${arm}`).specification.schedule);
  assert.deepEqual(warmups.map(({ warmupSteps }) => warmupSteps), [0, 656.48, 1312.96, 2625.92]);
});

Deno.test("buildPlan() at the paper's scale has the paper's learning rates", () => {
  for (const experiment of ["max-learning-rate", "same-data"]) {
    const schedules = ["constant", "0.5x", "1x", "2x"].map((arm) =>
      runOf(paper, `${experiment}/${arm}`).specification.schedule
    );
    assert.deepEqual(
      schedules.map(({ kind, warmupSteps, maxLearningRate, minLearningRate }) => ({
        kind,
        warmupSteps,
        rates: [maxLearningRate, minLearningRate].map((rate) => rate.toPrecision(12)),
      })),
      [
        { kind: "constant", warmupSteps: 0, rates: ["0.0000300000000000", "0.0000300000000000"] },
        { kind: "paper", warmupSteps: 1312.96, rates: ["0.000150000000000", "0.0000150000000000"] },
        { kind: "paper", warmupSteps: 1312.96, rates: ["0.000300000000000", "0.0000300000000000"] },
        { kind: "paper", warmupSteps: 1312.96, rates: ["0.000600000000000", "0.0000600000000000"] },
      ],
    );
  }
});

Deno.test("buildPlan() at the paper's scale reads 50B or 240B tokens", () => {
  for (const { experiment, steps, run } of uses(paper)) {
    if (experiment === "upstream") continue;
    const billions = ["max-learning-rate", "from-scratch"].includes(experiment) ? 240e9 : 50e9;
    assert.equal(steps, billions === 240e9 ? 106_148 : 22_114, experiment);
    assert.ok(Math.abs(steps * 2_260_992 - billions) <= 2_260_992 / 2);
    assert.ok(run.steps >= steps);
  }
});

Deno.test("buildPlan() at the paper's scale starts from the paper's checkpoints", () => {
  const pretraining = runOf(paper, "upstream/pretrain").key;
  const start = (reference: string) => runOf(paper, reference).specification.initialWeights;
  for (const [percent, step] of [[7, 10_000], [19, 27_000], [100, 143_000]] as const) {
    for (const warmup of [0, 1]) {
      const reference = `earlier-checkpoints/${percent}%-warmup-${warmup}%`;
      assert.deepEqual(start(reference), { kind: "checkpoint", run: pretraining, step });
      assert.equal(runOf(paper, reference).specification.schedule.warmupSteps, warmup === 0 ? 0 : 1312.96);
    }
  }
  assert.deepEqual(start("from-scratch/scratch"), { kind: "random", seed: 1234 });
  assert.deepEqual(start("upstream/pretrain"), { kind: "random", seed: 1234 });
});

Deno.test("buildPlan() makes from-scratch the same run as max-learning-rate/1x but for its start", () => {
  const { initialWeights: _, ...scratch } = runOf(tiny, "from-scratch/scratch").specification;
  const { initialWeights: __, ...continued } = runOf(tiny, "max-learning-rate/1x").specification;
  assert.deepEqual(scratch, continued);
});

Deno.test("buildPlan() trains same-data on the upstream corpus in another order than pre-training", () => {
  const pretraining = runOf(tiny, "upstream/pretrain").specification;
  const sameData = runOf(tiny, "same-data/1x").specification;
  assert.deepEqual(sameData.corpus, pretraining.corpus);
  assert.notEqual(sameData.orderSeed, pretraining.orderSeed);
  const { corpus: _, ...rest } = sameData;
  const { corpus: __, ...shifted } = runOf(tiny, "max-learning-rate/1x").specification;
  assert.deepEqual(rest, shifted);
});

for (const plan of [smoke, tiny, paper]) {
  Deno.test(`buildPlan() at scale ${plan.scale.name} shares runs between arms`, () => {
    assert.equal(plan.runs.length, 17);
    assert.equal(plan.totals.runs, 17);
    assert.equal(plan.totals.arms, 20);
    const shared = runOf(plan, "warmup-length/1%");
    assert.equal(runOf(plan, "max-learning-rate/1x"), shared);
    assert.equal(runOf(plan, "earlier-checkpoints/100%-warmup-1%"), shared);
    assert.equal(runOf(plan, "earlier-checkpoints/100%-warmup-0%"), runOf(plan, "warmup-length/0%"));
    assert.equal(shared.label, "warmup-length_1%_seed-0");
    assert.equal(shared.steps, Math.max(...shared.usedBy.map(({ steps }) => steps)));
    assert.equal(new Set(plan.runs.map(({ key }) => key)).size, 17);
    assert.equal(new Set(plan.runs.map(({ label }) => label)).size, 17);
  });

  Deno.test(`buildPlan() at scale ${plan.scale.name} puts every run after its parent, which keeps the checkpoint`, () => {
    for (const [index, { specification: { initialWeights } }] of plan.runs.entries()) {
      if (initialWeights.kind === "random") continue;
      const parent = plan.runs.slice(0, index).find(({ key }) =>
        initialWeights.kind === "checkpoint" && key === initialWeights.run
      );
      assert.ok(initialWeights.kind === "checkpoint");
      assert.ok(parent !== undefined && parent.checkpointSteps.includes(initialWeights.step));
      assert.ok(parent.steps >= initialWeights.step);
    }
  });

  Deno.test(`buildPlan() at scale ${plan.scale.name} evaluates where arms end, whether or not the run goes on`, () => {
    for (const { run, steps, reference } of uses(plan)) {
      assert.ok(isEvaluationStep(run.specification.evaluation, steps), reference);
    }
  });
}

Deno.test("buildPlan() keeps the fractions of the paper at scale tiny", () => {
  const { pretraining, continuing } = tiny.scale;
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) <= 0.5, `${actual}`);
  const [seven, nineteen, all] = runOf(tiny, "upstream/pretrain").checkpointSteps;
  near(seven ?? 0, pretraining.steps * 10 / 143);
  near(nineteen ?? 0, pretraining.steps * 27 / 143);
  assert.equal(all, pretraining.steps);
  near(runOf(tiny, "warmup-length/2%").steps, continuing.steps * 50e9 / 296_859_205_632);
  near(runOf(tiny, "max-learning-rate/2x").steps, continuing.steps * 240e9 / 296_859_205_632);
  assert.equal(runOf(tiny, "warmup-length/2%").specification.schedule.warmupSteps, continuing.steps * 2 / 100);
});

Deno.test("buildPlan() keeps the evaluations of scale tiny cheap", () => {
  const { tokens, evaluationTokens } = tiny.totals;
  assert.ok(evaluationTokens / 3 <= 0.12 * tokens, `${evaluationTokens / 3 / tokens}`);
});

Deno.test("buildPlan() counts costs once a run", () => {
  const costs = tiny.runs.map(runCost);
  assert.equal(tiny.totals.steps, tiny.runs.reduce((sum, { steps }) => sum + steps, 0));
  assert.equal(tiny.totals.tokens, tiny.totals.steps * 2048);
  assert.equal(tiny.totals.flops, costs.reduce((sum, { flops }) => sum + flops, 0));
  const short = runOf(tiny, "warmup-length/0%").steps;
  // Three arms of 50B tokens ride along on runs that are trained anyway.
  assert.equal(tiny.totals.sharedTokens, 3 * short * 2048);
});

Deno.test("buildPlan() with only some arms pulls in the start they need, no further than they need it", async () => {
  const plan = await fixedPlan("tiny", { only: ["earlier-checkpoints/7%-warmup-0%"] });
  const step = tiny.runs[0]?.checkpointSteps[0];
  assert.deepEqual(
    plan.runs.map(({ label, steps, checkpointSteps, usedBy }) => [label, steps, checkpointSteps, usedBy.length]),
    [
      ["upstream_pretrain_seed-0", step, [step], 0],
      ["earlier-checkpoints_7%-warmup-0%_seed-0", runOf(tiny, "warmup-length/0%").steps, [], 1],
    ],
  );
  assert.equal(plan.runs[0]?.key, tiny.runs[0]?.key);
  assert.deepEqual(plan.experiments.map(({ name, arms }) => [name, arms]), [
    ["earlier-checkpoints", ["7%-warmup-0%"]],
  ]);
});

Deno.test("buildPlan() with only one experiment gives its runs the keys and labels of the whole plan", async () => {
  const plan = await fixedPlan("tiny", { only: ["max-learning-rate", "from-scratch/scratch"] });
  assert.equal(plan.runs.length, 6);
  for (const run of plan.runs) {
    assert.equal(tiny.runs.find(({ key }) => key === run.key)?.label, run.label);
  }
  assert.equal(
    (await fixedPlan("tiny", { only: ["warmup-length"] })).runs.find(({ label }) => label.includes("1%"))?.steps,
    runOf(tiny, "warmup-length/0%").steps,
  );
});

const UNKNOWN: readonly (readonly [string, string, string])[] = [
  [
    "warmup-lenght",
    "UNKNOWN_EXPERIMENT",
    'Unknown experiment "warmup-lenght": did you mean "warmup-length"? (known: upstream, warmup-length, ' +
    "max-learning-rate, from-scratch, same-data, earlier-checkpoints)",
  ],
  [
    "same-data/constnt",
    "UNKNOWN_ARM",
    'Unknown arm "same-data/constnt": did you mean "same-data/constant"? (known: same-data/constant, same-data/0.5x, ' +
    "same-data/1x, same-data/2x)",
  ],
  [
    "sam-data/1x",
    "UNKNOWN_EXPERIMENT",
    'Unknown experiment "sam-data/1x": did you mean "same-data"? (known: upstream, warmup-length, max-learning-rate, ' +
    "from-scratch, same-data, earlier-checkpoints)",
  ],
];

for (const [only, code, message] of UNKNOWN) {
  Deno.test(`buildPlan() throws when asked only for "${only}"`, async () => {
    const error = await userError(fixedPlan("tiny", { only: ["upstream", only] }));
    assert.deepEqual([error.code, error.message], [code, message]);
  });
}

for (const seeds of [0, -1, 1.5, NaN, 1001]) {
  Deno.test(`buildPlan() throws when the number of seeds is ${seeds}`, async () => {
    const error = await userError(fixedPlan("tiny", { seeds }));
    assert.equal(error.code, "BAD_SEEDS");
    assert.equal(error.message, `Number of seeds is ${seeds}: expected a whole number from 1 to 1000`);
  });
}

Deno.test("buildPlan() with three seeds repeats the whole chain with other weights and orders", async () => {
  const plan = await fixedPlan("smoke", { seeds: 3 });
  assert.equal(plan.runs.length, 3 * 17);
  assert.equal(new Set(plan.runs.map(({ key }) => key)).size, 3 * 17);
  assert.deepEqual(plan.runs.slice(0, 17), smoke.runs);
  const seeds = [0, 1, 2].flatMap((seedIndex) => {
    const pretraining = runOf(plan, "upstream/pretrain", seedIndex).specification;
    const scratch = runOf(plan, "from-scratch/scratch", seedIndex).specification;
    assert.deepEqual(scratch.initialWeights, pretraining.initialWeights);
    const { initialWeights } = runOf(plan, "max-learning-rate/1x", seedIndex).specification;
    assert.equal(
      initialWeights.kind === "checkpoint" && initialWeights.run,
      runOf(plan, "upstream/pretrain", seedIndex).key,
    );
    return [pretraining.orderSeed, scratch.orderSeed];
  });
  assert.equal(new Set(seeds).size, 6);
});

Deno.test("buildPlan() without corpora can be priced but not trained", async () => {
  const { corpusDigests: _, ...options } = FIXED_OPTIONS;
  const plan = await buildPlan({ ...options, ...FIXTURE_CATALOGUE, scale: "paper", start: "train" });
  assert.deepEqual(plan.data, {
    state: "not fetched",
    upstream: "huggingface:EleutherAI/pile-standard-pythia-preshuffled",
    downstream: "huggingface:cerebras/SlimPajama-627B",
  });
  assert.deepEqual(plan.totals, paper.totals);
  assert.notEqual(plan.runs[0]?.key, paper.runs[0]?.key);
});

Deno.test("buildPlan() replaces parts of the scale by overrides, and checks them", async () => {
  const continuing = { ...smoke.scale.continuing, steps: 128 };
  const plan = await fixedPlan("smoke", { overrides: { continuing } });
  assert.equal(runOf(plan, "warmup-length/2%").specification.schedule.totalSteps, 128);
  assert.equal(runOf(plan, "upstream/pretrain").key, runOf(smoke, "upstream/pretrain").key);
  const error = await userError(fixedPlan("smoke", { overrides: { gradientBlockSequences: 3 } }));
  assert.match(error.message, /pretraining\.batchSequences is 4, expected a multiple of gradientBlockSequences \(3\)/);
});

Deno.test("buildPlan() takes an option that is undefined for one that was not given", async () => {
  const options = {
    only: undefined,
    changes: {},
    overrides: undefined,
    readings: { pile: undefined },
    start: undefined,
  };
  const passed = await fixedPlan("smoke", { ...options, imported: undefined, ownFiles: undefined });
  assert.equal(passed.planDigest, smoke.planDigest);
  assert.deepEqual(passed.runs.map(({ key }) => key), smoke.runs.map(({ key }) => key));
  for (const { specification, key } of smoke.runs) {
    const schedule = { ...specification.schedule, decayFraction: undefined };
    assert.equal(runKey({ ...specification, schedule } as RunSpecification), key);
  }
});

Deno.test("runKey() is the same on every machine", () => {
  // A change here makes every earlier run another run.
  assert.deepEqual(
    ["upstream/pretrain", "max-learning-rate/1x", "same-data/constant"].map((reference) => runOf(smoke, reference).key),
    [
      "a5b160f4475e80261f5f41f1e7050214904a59beffb638edfc8250b2ca6355a4",
      "c516e4ca83b19f1e79adae605e7bcfa723afb3aced4a65e6898dc4f5ff1e7200",
      "0f75dd56dc525effb515a646161ef6a0ee2e9acb9e9af4c4d0e91cb821310f34",
    ],
  );
});

/** Paths of all leaves of a JSON value. */
function leaves(value: unknown, path: readonly string[] = []): string[][] {
  if (value === null || typeof value !== "object") return [[...path]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

/** A copy in which one leaf is another value of the same type. */
function changed(value: unknown, [head, ...tail]: readonly string[]): unknown {
  if (head === undefined) return typeof value === "number" ? value + 1 : `${String(value)}.`;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[head] = changed(copy[head], tail);
  return copy;
}

for (const reference of ["upstream/pretrain", "max-learning-rate/1x"]) {
  Deno.test(`runKey() of ${reference} changes with every field`, () => {
    const { specification } = runOf(smoke, reference);
    const paths = leaves(specification);
    assert.ok(paths.length > 35);
    const keys = paths.map((path) => runKey(changed(specification, path) as RunSpecification));
    assert.equal(new Set([...keys, runKey(specification)]).size, paths.length + 1);
  });
}

Deno.test("runKey() does not depend on the order in which fields were written", () => {
  const { specification } = runOf(smoke, "max-learning-rate/1x");
  const fields = Object.entries(specification);
  fc.assert(fc.property(fc.shuffledSubarray(fields, { minLength: fields.length }), (entries) => {
    assert.equal(runKey(Object.fromEntries(entries) as unknown as RunSpecification), runKey(specification));
  }));
});
