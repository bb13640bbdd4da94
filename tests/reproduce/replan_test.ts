import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { buildPlan, type Plan, type PlanOptions } from "../../src/experiment/plan/plan.ts";
import { runKey } from "../../src/experiment/run/run_key.ts";
import { digestsOf, readInputs } from "../../src/reproduce/inputs.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { FIXED_OPTIONS } from "../experiment/plan/plan_fixture.ts";

/** A plan of the project's own experiments, which `replan()` reads as well. */
function fixedPlan(scale: string, options: Partial<PlanOptions> = {}): Promise<Plan> {
  return buildPlan({ ...FIXED_OPTIONS, scale, ...options });
}

const IMPORTED = [10_000, 27_000, 143_000].map((step) => ({ step, weights: sha256(`${step}`), origin: "file:a" }));

const CASES: [scale: string, options: Partial<PlanOptions>][] = [
  ["tiny", {}],
  ["tiny", { seeds: 3, only: ["same-data", "max-learning-rate/2x"] }],
  ["tiny", { readings: { "optimizer-state": "carried", "same-data-horizon": "upstream" } }],
  ["small", {
    changes: { tokens: 2e6, batchSequences: 8, model: "pythia-31m" },
    readings: { domains: "released-config" },
  }],
  ["small", { ownFiles: true, changes: { sequenceLength: 256, evaluationWindows: 16 } }],
  ["paper", { imported: IMPORTED, readings: { pile: "deduplicated" } }],
  ["paper", { start: "train" }],
  ["smoke", { start: "files", imported: IMPORTED.slice(2), only: ["max-learning-rate"] }],
];

for (const [scale, options] of CASES) {
  Deno.test(`replan() finds the plan of scale ${scale} again with ${JSON.stringify(options)}`, async () => {
    const plan = await fixedPlan(scale, options);
    assert.deepEqual(await replan(plan, digestsOf(await readInputs(scale))), {
      isSame: true,
      planDigest: plan.planDigest,
    });
  });
}

/** A plan whose arm trains something else than its name says, keys and digest made to fit. */
async function forgedPlan(): Promise<Plan> {
  const { planDigest: _, ...plan } = await fixedPlan("tiny", { only: ["max-learning-rate"] });
  const runs = plan.runs.map((run) => {
    if (!run.usedBy.some(({ arm }) => arm === "2x")) return run;
    const schedule = { ...run.specification.schedule, maxLearningRate: 3 * run.specification.schedule.maxLearningRate };
    const specification = { ...run.specification, schedule };
    return { ...run, specification, key: runKey(specification) };
  });
  const content = { ...plan, runs };
  return { ...content, planDigest: sha256(canonicalJson(content)) };
}

Deno.test("replan() gives another plan where an arm is not what its name says, or the scale not what its file says", async () => {
  const forged = await forgedPlan();
  const inputs = digestsOf(await readInputs("tiny"));
  assert.notEqual((await replan(forged, inputs)).planDigest, forged.planDigest);
  const { continuing } = forged.scale;
  const other = await fixedPlan("tiny", { overrides: { continuing: { ...continuing, batchSequences: 8 } } });
  assert.notEqual((await replan(other, inputs)).planDigest, other.planDigest);
});

Deno.test("replan() knows other experiments by their digests, and a scale that it cannot plan", async () => {
  const plan = await fixedPlan("tiny");
  const inputs = (digestsOf(await readInputs("tiny"))).map((file) =>
    file.name === "experiments/from-scratch.yaml" ? { ...file, sha256: sha256("other") } : file
  );
  assert.equal((await replan(plan, inputs)).isSame, false);
  const unknown = { ...plan, scale: { ...plan.scale, name: "enormous" } };
  assert.deepEqual(await replan(unknown, inputs), { isSame: false, planDigest: undefined });
  const odd = { ...plan, scale: { ...plan.scale, changes: ["colour blue"] } };
  assert.equal((await replan(odd, inputs)).planDigest, undefined);
});

Deno.test("replan() plans nothing for a plan that speaks of more seeds than its runs serve", async () => {
  const plan = await fixedPlan("paper", { only: ["warmup-length"] });
  const started = performance.now();
  const { planDigest } = await replan({ ...plan, seeds: 1000, runs: [] }, []);
  assert.equal(planDigest, undefined);
  assert.ok(performance.now() - started < 5000);
});
