import assert from "node:assert/strict";
import { jobName, runJobs, usefulParallelism } from "../../src/launch/jobs.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";

const plan = await fixedPlan("smoke");
const byLabel = new Map(plan.runs.map((run) => [run.label, run]));

Deno.test("runJobs() names each job by its run's label and key, so that the same run has the same name in every plan", async () => {
  const jobs = runJobs(plan);
  assert.equal(new Set(jobs.map(({ name }) => name)).size, plan.runs.length);
  for (const { label, name } of jobs) {
    const run = byLabel.get(label);
    assert(run !== undefined);
    assert.equal(name, `rewarm:${label}:${run.key.slice(0, 16)}`);
  }
  const fewer = await fixedPlan("smoke", { only: ["warmup-length"] });
  const names = new Set(jobs.map(({ name }) => name));
  for (const { name } of runJobs(fewer)) assert(names.has(name), name);
});

Deno.test("runJobs() lets each job wait for the run it starts from, and stand after it", () => {
  for (const lanes of [undefined, 1, 2, 5, 100]) {
    const jobs = runJobs(plan, lanes);
    const labels = jobs.map(({ label }) => label);
    for (const [place, { label, parent }] of jobs.entries()) {
      const { initialWeights } = byLabel.get(label)!.specification;
      const expected = initialWeights.kind === "checkpoint"
        ? plan.runs.find(({ key }) => key === initialWeights.run)?.label
        : undefined;
      assert.equal(parent, expected);
      if (parent !== undefined) assert(labels.indexOf(parent) < place, label);
    }
  }
});

Deno.test("runJobs() uses as many lanes as it is told, and none where nothing limits it", () => {
  assert(runJobs(plan).every(({ lane }) => lane === undefined));
  for (const lanes of [1, 2, 3]) {
    assert.deepEqual(
      [...new Set(runJobs(plan, lanes).map(({ lane }) => lane))].sort(),
      Array.from({ length: lanes }, (_, i) => i),
    );
  }
});

Deno.test("usefulParallelism() is at most the number of runs, and 1 for a single run", async () => {
  assert(usefulParallelism(plan) > 1 && usefulParallelism(plan) <= plan.runs.length);
  assert.equal(usefulParallelism(await fixedPlan("smoke", { only: ["upstream/pretrain"] })), 1);
});

Deno.test("jobName() has no space, by which a script parts names, nor a bar, by which the queue parts its columns", () => {
  for (const run of plan.runs) assert.doesNotMatch(jobName(run), /[\s|]/);
});
