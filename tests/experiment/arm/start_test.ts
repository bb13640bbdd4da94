import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { findRun } from "../../../src/experiment/plan/plan.ts";
import { planFromJson, planToJson } from "../../../src/experiment/plan/plan_json.ts";
import { loadExperiments } from "../../../src/experiment/catalogue.ts";
import { PAPER_SAME_DATA_TOKENS } from "../../../src/experiment/scale/paper_units.ts";
import { type ImportedCheckpoint, startCheckpoints } from "../../../src/experiment/arm/start.ts";
import { earlierFact } from "../../../src/results/earlier_facts.ts";
import { userError } from "../../data/user_error.ts";
import { present } from "../../present.ts";
import { fixedPlan } from "../plan/plan_fixture.ts";

function checkpoint(step: number): ImportedCheckpoint {
  return { step, weights: sha256(`step ${step}`), origin: "file:a" };
}

const LAST = [checkpoint(143_000)];
const IMPORTED = [checkpoint(10_000), checkpoint(27_000), ...LAST];

Deno.test("buildPlan() at the paper's scale continues Pythia's public checkpoints and trains no upstream model", async () => {
  const plan = await fixedPlan("paper", { imported: IMPORTED });
  assert.equal(findRun(plan, "upstream", "pretrain"), undefined);
  assert.equal(plan.runs.length, 16);
  const start = (experiment: string, arm: string) => findRun(plan, experiment, arm)?.specification.initialWeights;
  for (const [percent, step] of [[7, 10_000], [19, 27_000], [100, 143_000]] as const) {
    const { weights } = checkpoint(step);
    assert.deepEqual(start("earlier-checkpoints", `${percent}%-warmup-1%`), { kind: "imported", weights, step });
  }
  assert.deepEqual(start("same-data", "constant"), { kind: "imported", weights: LAST[0]?.weights, step: 143_000 });
  assert.deepEqual(start("from-scratch", "scratch"), { kind: "random", seed: 1234 });
  assert.deepEqual(plan.start, { state: "pinned", checkpoints: IMPORTED });
  assert.deepEqual(planFromJson(planToJson(plan), "plan.json"), present(plan));
});

Deno.test("buildPlan() without the checkpoints prices the same runs, under keys that nobody can train", async () => {
  const [plan, pinned] = [await fixedPlan("paper"), await fixedPlan("paper", { imported: IMPORTED })];
  assert.deepEqual(plan.start, { state: "not fetched", origin: "huggingface:EleutherAI/pythia-410m" });
  assert.deepEqual(plan.totals, pinned.totals);
  const keys = new Set(pinned.runs.map(({ key }) => key));
  const scratch = findRun(plan, "from-scratch", "scratch")?.key;
  assert.deepEqual(plan.runs.filter(({ key }) => keys.has(key)).map(({ key }) => key), [scratch]);
  assert.equal(new Set(startCheckpoints(plan.start ?? assert.fail()).map(({ weights }) => weights)).size, 3);
});

Deno.test("buildPlan() names the step that was not given, and refuses pre-training where none takes place", async () => {
  const only = ["earlier-checkpoints"];
  await assert.rejects(
    fixedPlan("smoke", { start: "files", imported: LAST, only }),
    userError("NO_START_CHECKPOINT", "earlier-checkpoints/7%-warmup-0%", "10000", "step 143000 was given", "--only"),
  );
  await assert.rejects(fixedPlan("paper", { only: ["upstream"] }), userError("NO_PRETRAINING", "--start train"));
  await assert.rejects(
    fixedPlan("paper", { only: ["upstream/pretrain"] }),
    userError("NO_PRETRAINING", "--start train"),
  );
});

Deno.test("a plan from one checkpoint has the arms that start from it, at any scale", async () => {
  const plan = await fixedPlan("smoke", { start: "files", imported: LAST, only: ["max-learning-rate"] });
  assert.deepEqual(plan.scale.start, { kind: "files" });
  assert(plan.runs.every(({ specification: { initialWeights } }) => initialWeights.kind === "imported"));
  assert.deepEqual(earlierFact("warmupShareNone", plan.runs), undefined);
});

Deno.test("imported models count the paper's own steps as facts", async () => {
  const { runs } = await fixedPlan("smoke", { start: "files", imported: IMPORTED });
  assert.equal(earlierFact("earliestCheckpointStep", runs)?.number, 10_000);
  assert.equal(earlierFact("earliestCheckpointShare", runs)?.number, 10_000 / 143_000);
});

Deno.test("no arm continues on the upstream corpus for longer than its data are fetched for", async () => {
  const arms = (await loadExperiments()).flatMap(({ arms }) => Object.values(arms));
  const sameData = arms.filter(({ phase, corpus }) => phase === "continuing" && corpus === "upstream");
  assert.equal(Math.max(...sameData.map(({ tokens }) => tokens)), PAPER_SAME_DATA_TOKENS);
});
