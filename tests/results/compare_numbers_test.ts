import assert from "node:assert/strict";
import type { Plan } from "../../src/experiment/plan/plan.ts";
import { evaluationSteps } from "../../src/experiment/run/evaluation.ts";
import { parameterCount } from "../../src/model/config.ts";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import { compareNumbers, type ComparisonRow } from "../../src/results/compare_numbers.ts";
import { learningRate } from "../../src/schedule/learning_rate.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { judgeContext } from "../../src/results/paper_judge.ts";
import { PAPER } from "./paper.ts";
import { REHEARSAL } from "./rehearsal.ts";

/** Curves of all arms of a plan: the schedule's own rates, and losses that fall from `start` to `start` − 1. */
function curvesOf(plan: Plan, start: number): ArmCurves[] {
  const { batchSequences } = plan.scale.continuing;
  const tokensPerStep = batchSequences * plan.scale.model.config.sequenceLength;
  return plan.runs.flatMap(({ key, label, specification, steps: lastStep, usedBy }) => {
    const points = evaluationSteps(specification.evaluation, lastStep).map((step) => {
      const loss = start - step / specification.schedule.totalSteps;
      const rate = learningRate(specification.schedule, Math.min(step, lastStep - 1));
      return { step, tokens: step * tokensPerStep, learningRate: rate, upstream: loss, downstream: loss };
    });
    const curves = { runKey: key, label, tokensPerStep, bytesPerToken: { upstream: 1, downstream: 1 }, points };
    return usedBy.map(({ experiment, arm, seedIndex, steps }) => ({
      experiment,
      arm,
      seedIndex,
      runKey: key,
      steps,
      curves,
    }));
  });
}

async function rowsAt(scale: string, isPaperScale: boolean, only?: string[]): Promise<ComparisonRow[]> {
  const plan = await fixedPlan(scale, { start: "train", only });
  const context = { ...judgeContext(PAPER, plan), scale, isPaperScale, runs: plan.runs };
  return compareNumbers(PAPER, context, curvesOf(plan, 3));
}

const PAPER_ROWS = await rowsAt("paper", true);
const row = (rows: readonly ComparisonRow[], id: string) => rows.find((row) => row.id === id) as ComparisonRow;

Deno.test("compareNumbers() finds every setup number of the paper in the plan of the paper's scale", () => {
  const setup = PAPER_ROWS.filter(({ kind, comparable }) => kind === "setup" && comparable);
  assert.deepEqual(setup.filter(({ agrees }) => agrees === false), []);
  assert.ok(setup.filter(({ agrees }) => agrees === true).length > 40);
  assert.deepEqual([row(PAPER_ROWS, "tokens-per-step").ours, row(PAPER_ROWS, "downstream-tokens").ours], [
    "2260992",
    "296859205632",
  ]);
});

for (const scale of ["smoke", "tiny", "small", "medium"]) {
  Deno.test(`compareNumbers() finds the paper's fractions in the plan of scale ${scale}, and judges nothing else`, async () => {
    const rows = await rowsAt(scale, false);
    assert.deepEqual(rows.filter(({ agrees }) => agrees === false), []);
    assert.equal(row(rows, "warmup-share-one").agrees, true);
    assert.equal(row(rows, "long-run").agrees, true);
    for (const id of ["parameters", "warmup-steps-one", "iterations", "max-learning-rate-once"]) {
      assert.equal(row(rows, id).comparable, false, id);
      assert.notEqual(row(rows, id).ours, "—", id);
    }
  });
}

Deno.test("compareNumbers() notices a plan that departs from the paper", async () => {
  const plan = await fixedPlan("tiny");
  const runs = plan.runs.map((run) => {
    const { optimizer, schedule } = run.specification;
    return {
      ...run,
      specification: {
        ...run.specification,
        optimizer: { ...optimizer, beta2: 0.999 },
        schedule: { ...schedule, warmupSteps: schedule.warmupSteps * 1.001 },
      },
    };
  });
  const context = { ...REHEARSAL, runs };
  const rows = compareNumbers(PAPER, context, []);
  const wrong = rows.filter(({ agrees }) => agrees === false).map(({ id }) => id);
  assert.deepEqual(wrong, ["beta2", "warmup-share-half", "warmup-share-one", "warmup-share-two"]);
});

Deno.test("compareNumbers() finds the paper's learning rates in the plan's schedule", () => {
  const rates = PAPER_ROWS.filter(({ id }) => id.startsWith("learning-rate-"));
  assert.deepEqual(rates.map(({ paper, ours }) => [paper, ours]), [
    ["0.999", "0.999"],
    ["0.939", "0.939"],
    ["0.759", "0.759"],
    ["0.507", "0.507"],
    ["0.254", "0.254"],
    ["0.100", "0.100"],
    ["0.100", "0.100"],
  ]);
});

Deno.test("compareNumbers() sees another schedule in the learning rates", async () => {
  const plan = await fixedPlan("tiny");
  const runs = plan.runs.map((run) => {
    const { specification } = run;
    return {
      ...run,
      specification: { ...specification, schedule: { ...specification.schedule, kind: "cosine" as const } },
    };
  });
  const context = { ...REHEARSAL, runs };
  const rows = compareNumbers(PAPER, context, []);
  const wrong = rows.filter(({ agrees }) => agrees === false).map(({ id }) => id);
  assert.deepEqual(wrong, [50, 100, 150, 200, 240].map((billions) => `learning-rate-${billions}b`));
});

Deno.test("compareNumbers() shows absolute losses side by side at the paper's scale alone", async () => {
  const tiny = await rowsAt("tiny", false);
  assert.equal(row(PAPER_ROWS, "highest-upstream-loss").comparable, true);
  assert.equal(row(tiny, "highest-upstream-loss").comparable, false);
  assert.equal(row(tiny, "highest-upstream-loss").ours, "3.000");
  assert.match(row(tiny, "axis-figure-2-downstream").reason, /losses of a 410M model are not those of scale "tiny"/);
});

Deno.test("compareNumbers() never calls the follow-up's numbers comparable", () => {
  const rows = PAPER_ROWS.filter(({ kind }) => kind === "follow-up");
  assert.equal(rows.length, PAPER.followUpNumbers.length);
  assert.deepEqual(rows.filter(({ comparable }) => comparable), []);
  assert.match(row(rows, "replay-0-downstream").ours, /^2\.19[12]$/); // 3 − 0.8085
  assert.equal(row(rows, "german-5-upstream").ours, "—");
});

Deno.test("compareNumbers() says so when the arms of a number were not run", async () => {
  const rows = await rowsAt("tiny", false, ["warmup-length"]);
  assert.match(row(rows, "same-data-rise-once").reason, /arm "same-data\/1x" was not run/);
  assert.deepEqual([row(rows, "max-learning-rate-half").ours, row(rows, "max-learning-rate-half").comparable], [
    "—",
    false,
  ]);
  assert.equal(row(rows, "axis-figure-5-upstream").ours, "—");
});

Deno.test("compareNumbers() counts the parameters of a scale's own model", async () => {
  const plan = await fixedPlan("tiny");
  assert.equal(row(await rowsAt("tiny", false), "parameters").ours, String(parameterCount(plan.scale.model.config)));
});
