import assert from "node:assert/strict";
import { runCost } from "../../../src/experiment/plan/cost.ts";
import { longestChainFirst, parentOf } from "../../../src/experiment/run/run_graph.ts";
import type { PlannedRun } from "../../../src/experiment/run/run.ts";
import { fixedPlan } from "../plan/plan_fixture.ts";

const { runs } = await fixedPlan("smoke");
const flops = (run: Parameters<typeof runCost>[0]) => runCost(run).flops;

Deno.test("parentOf() gives the run whose checkpoint a run starts from, and none to one that starts at random", () => {
  for (const run of runs) {
    const { initialWeights } = run.specification;
    assert.equal(parentOf(run, runs)?.key, initialWeights.kind === "checkpoint" ? initialWeights.run : undefined);
  }
  assert(runs.some((run) => parentOf(run, runs) !== undefined));
});

Deno.test("longestChainFirst() keeps every run, and puts each after the run that it starts from", () => {
  const ordered = longestChainFirst(runs, flops);
  assert.deepEqual(ordered.map(({ label }) => label).sort(), runs.map(({ label }) => label).sort());
  for (const run of ordered) {
    const parent = parentOf(run, runs);
    if (parent !== undefined) assert(ordered.indexOf(parent) < ordered.indexOf(run), run.label);
  }
});

Deno.test("longestChainFirst() begins with the longest chain, and keeps the plan's order where chains are equal", () => {
  const alone = runs.filter((run) => parentOf(run, runs) === undefined);
  const shuffled = [...alone, ...runs.filter((run) => !alone.includes(run))];
  const steps = longestChainFirst(shuffled, ({ steps }) => steps);
  const children = steps.filter((run) => parentOf(run, runs) !== undefined);
  assert.deepEqual(children.map((run) => run.steps), children.map((run) => run.steps).sort((a, b) => b - a));
  assert.deepEqual(longestChainFirst(alone, () => 0), alone);
});

Deno.test("longestChainFirst() puts first what most others wait for, by either of two starts", () => {
  const [pretraining, , other] = runs;
  assert(pretraining !== undefined && other !== undefined);
  assert.equal(longestChainFirst(runs, flops)[0], pretraining);
  const between = {
    kind: "interpolation",
    from: { kind: "checkpoint", run: pretraining.key, step: 1 },
    to: { kind: "checkpoint", run: other.key, step: 1 },
  };
  const child = { ...other, key: "c", specification: { ...other.specification, initialWeights: between } };
  const lone = { ...pretraining, key: "l" };
  const plan = [lone, pretraining, { ...other, specification: pretraining.specification }, child] as PlannedRun[];
  const order = longestChainFirst(plan, ({ key }) => key === "l" ? 3 : 2);
  assert.deepEqual(order.map(({ key }) => key), [pretraining.key, other.key, "l", "c"]);
});
