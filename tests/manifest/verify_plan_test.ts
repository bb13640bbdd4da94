import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Plan } from "../../src/experiment/plan/plan.ts";
import { planToJson } from "../../src/experiment/plan/plan_json.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import type { Predicate } from "../../src/manifest/format/predicate.ts";
import { checkPlan } from "../../src/manifest/verify/verify_plan.ts";
import { present } from "../present.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";

const encode = (plan: unknown) => new TextEncoder().encode(canonicalJson(plan));

/** As much of a predicate as a plan is checked against. */
function predicateOf({ scale, planDigest, engine, seeds, data, readings, start, runs }: Plan): Predicate {
  assert(data.state === "pinned");
  return {
    scale: scale.name,
    plan: { name: "plan.json", sha256: sha256("not looked at here"), planDigest },
    engine: { name: "exact", ...engine, description: {} },
    seeds: { count: seeds },
    corpora: { upstream: { digest: data.upstream, summary: {} }, downstream: { digest: data.downstream, summary: {} } },
    readings,
    ...(start?.state === "pinned" ? { start: start.checkpoints } : {}),
    runs: runs.map((run) => ({ ...run, outcome: "skipped", reason: "not looked at here" })),
  } as unknown as Predicate;
}

const IMPORTED = [10_000, 27_000, 143_000].map((step) => ({ step, weights: sha256(`${step}`), origin: "file:a" }));

Deno.test("checkPlan() refuses other readings and other models than the plan's", async () => {
  const plan = await fixedPlan("paper", { imported: IMPORTED });
  const check = (change: Partial<Predicate>) =>
    checkPlan(encode(planToJson(plan)), { ...predicateOf(plan), ...change });
  assert.equal(
    check({ readings: { ...plan.readings, pile: "deduplicated" } }),
    "the plan reads the paper's open points otherwise",
  );
  const { readings: _, ...without } = predicateOf(plan);
  assert.equal(checkPlan(encode(planToJson(plan)), without), "the plan reads the paper's open points otherwise");
  assert.equal(check({ start: IMPORTED.slice(1) }), "the plan starts from other models");

  const { planDigest: __, ...content } = {
    ...plan,
    start: { state: "pinned" as const, checkpoints: IMPORTED.slice(0, 2) },
  };
  const forged = { ...content, planDigest: sha256(canonicalJson(content)) };
  const message = checkPlan(encode(planToJson(forged)), predicateOf(forged));
  assert.match(String(message), /starts from a model that the plan does not name/);
});

for (const scale of ["smoke", "tiny", "small", "medium", "paper"]) {
  Deno.test(`checkPlan() reads the plan of scale "${scale}" as it was written`, async () => {
    const plan = await fixedPlan(scale, { seeds: 2, imported: IMPORTED });
    assert.deepEqual(checkPlan(encode(planToJson(plan)), predicateOf(plan)), present(plan));
  });
}

/** The runs changed, and the digest made to fit. */
async function changed(change: (runs: readonly PlannedRun[]) => readonly PlannedRun[]): Promise<Plan | string> {
  const { planDigest: _, ...plan } = await fixedPlan("smoke", { only: ["max-learning-rate"], seeds: 2 });
  const content = { ...plan, runs: change(plan.runs) };
  const forged = { ...content, planDigest: sha256(canonicalJson(content)) };
  return checkPlan(encode(planToJson(forged)), predicateOf(forged));
}

/** The first arm that a run serves, changed. */
function withUse(run: PlannedRun, change: Partial<PlannedRun["usedBy"][number]>): PlannedRun {
  return { ...run, usedBy: run.usedBy.map((use, index) => index === 0 ? { ...use, ...change } : use) };
}

const SERVED = (runs: readonly PlannedRun[]) => runs.findIndex(({ usedBy }) => usedBy.length > 0);

Deno.test("checkPlan() refuses arms that are not planned, that two runs serve, or that read further than a run goes", async () => {
  const cases: [(run: PlannedRun) => PlannedRun, RegExp][] = [
    [(run) => withUse(run, { arm: "3x" }), /serves arm "max-learning-rate\/3x", which is not planned/],
    [(run) => withUse(run, { seedIndex: 2 }), /serves seed 2, and there are 2/],
    [(run) => withUse(run, { steps: run.steps + 1 }), /reads \d+ steps of run ".*", which has \d+/],
    [(run) => ({ ...run, usedBy: [...run.usedBy, ...run.usedBy] }), /both serve arm "max-learning-rate\/.*" at seed 0/],
    [(run) => ({ ...run, usedBy: [...run.usedBy, ...withUse(run, { seedIndex: 1 }).usedBy] }), /serves seeds 0 and 1/],
  ];
  for (const [change, reason] of cases) {
    const flaw = await changed((runs) => runs.with(SERVED(runs), change(runs[SERVED(runs)] ?? assert.fail())));
    assert(typeof flaw === "string", "the plan was taken");
    assert.match(flaw, reason);
  }
  const swapped = await changed((runs) => {
    const [first = assert.fail(), second = assert.fail()] = runs.filter(({ usedBy }) => usedBy.length > 0);
    return runs.with(runs.indexOf(second), { ...second, usedBy: first.usedBy });
  });
  assert.match(String(swapped), /runs ".*" and ".*" both serve arm/);
  assert.equal(typeof await changed((runs) => runs), "object");
});

Deno.test("checkPlan() refuses arms that no run serves, runs that serve nothing, and runs of another length", async () => {
  const cases: [(runs: readonly PlannedRun[]) => readonly PlannedRun[], RegExp][] = [
    [() => [], /no run serves arm "max-learning-rate\/.*" at seed 0/],
    [(runs) => runs.slice(0, runs.length / 2), /no run serves arm "max-learning-rate\/.*" at seed 1/],
    [(runs) => runs.with(SERVED(runs), { ...runs[SERVED(runs)] ?? assert.fail(), usedBy: [] }), /serves no arm/],
    [(runs) => runs.map((run) => ({ ...run, steps: run.steps + 1 })), /planned for \d+ steps, .* need \d+/],
    [(runs) => runs.map((run) => ({ ...run, checkpointSteps: [] })), /start from steps 64 of .* keeps none/],
  ];
  for (const [change, reason] of cases) assert.match(String(await changed(change)), reason);
});

Deno.test("checkPlan() refuses a scale, an engine, data and totals that are not those of the runs", async () => {
  const { planDigest: _, ...plan } = await fixedPlan("smoke", { only: ["warmup-length"] });
  assert(plan.data.state === "pinned");
  const other = sha256("other");
  const larger = { ...plan.scale.pretraining, batchSequences: 8 };
  const cases: [Partial<Plan>, RegExp][] = [
    [{ engine: { ...plan.engine, arithmetic: "9" } }, /has another engine than its plan/],
    [{ engine: { ...plan.engine, level: "run_to_run" } }, /another engine/],
    [{ data: { ...plan.data, upstream: other } }, /another corpus/],
    [{ data: { ...plan.data, downstream: other } }, /another validation text/],
    [{ scale: { ...plan.scale, evaluationWindows: 1 } }, /another evaluation windows/],
    [{ scale: { ...plan.scale, optimizer: { ...plan.scale.optimizer, beta1: 0.5 } } }, /another optimizer/],
    [{ scale: { ...plan.scale, pretraining: larger, continuing: larger } }, /neither phase/],
    [{ totals: { ...plan.totals, arms: 0 } }, /totals are not those of its runs/],
    [{ totals: { ...plan.totals, tokens: 1 } }, /totals/],
  ];
  for (const [change, reason] of cases) {
    const content = { ...plan, ...change };
    const forged = { ...content, planDigest: sha256(canonicalJson(content)) };
    assert.match(String(checkPlan(encode(planToJson(forged)), predicateOf(forged))), reason);
  }
});

Deno.test("checkPlan() tells the first problems of a plan with a million, and not all of them", async () => {
  const plan = await fixedPlan("smoke");
  for (
    const runs of [new Array(400_000).fill({}), new Array(20_000).fill({}), [
      Object.fromEntries(new Array(100_000).fill(0).map((_, i) => [`k${i}`, 0])),
    ]]
  ) {
    const flaw = checkPlan(encode({ ...(planToJson(plan) as object), runs }), predicateOf(plan));
    assert(typeof flaw === "string" && flaw.length < 20_000, `${String(flaw).length} characters`);
    assert.match(flaw, /"plan\.json": /);
  }
});
