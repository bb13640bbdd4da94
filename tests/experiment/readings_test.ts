import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { findRun } from "../../src/experiment/plan/plan.ts";
import { parseReadings, READINGS } from "../../src/experiment/readings.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { userError } from "../data/user_error.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "./plan/plan_fixture.ts";

Deno.test("parseReadings() reads NAME=VALUE, and names what is near where it cannot", () => {
  assert.deepEqual(parseReadings([]), {});
  assert.deepEqual(parseReadings(["pile=deduplicated", "optimizer-state=carried"]), {
    "pile": "deduplicated",
    "optimizer-state": "carried",
  });
  assert.throws(() => parseReadings(["pille=standard"]), userError("UNKNOWN_READING", "pile"));
  assert.throws(() => parseReadings(["pile=dedup"]), userError("UNKNOWN_READING", "pile=deduplicated"));
  assert.throws(() => parseReadings(["pile"]), userError("UNKNOWN_READING", "pile=standard"));
  assert.throws(() => parseReadings(["constructor=x"]), userError("UNKNOWN_READING", "constructor"));
  assert.throws(() => parseReadings(["pile=standard", "pile=standard"]), userError("DUPLICATE_READING", "pile"));
});

Deno.test("every plan names how it reads the open points that concern it, the likelier reading by default", async () => {
  assert.deepEqual((await fixedPlan("paper")).readings, {
    "pile": "standard",
    "domains": "table-1",
    "optimizer-state": "reset",
    "same-data-horizon": "downstream",
  });
  assert.deepEqual((await fixedPlan("tiny")).readings, {
    "optimizer-state": "reset",
    "same-data-horizon": "downstream",
  });
  assert.deepEqual(Object.keys((await fixedPlan("paper", { ownFiles: true })).readings ?? {}), [
    "pile",
    "optimizer-state",
    "same-data-horizon",
  ]);
});

Deno.test("a reading that would have no effect is refused, with the reason", async () => {
  await assert.rejects(fixedPlan("tiny", { readings: { pile: "standard" } }), userError("UNUSED_READING", "the Pile"));
  await assert.rejects(
    fixedPlan("paper", { readings: { domains: "table-1" }, ownFiles: true }),
    userError("UNUSED_READING", "SlimPajama is not used"),
  );
});

Deno.test("pile=deduplicated takes the deduplicated Pile and the model that was trained on it", async () => {
  const plan = await fixedPlan("paper", { readings: { pile: "deduplicated" } });
  const { data, start } = plan.scale;
  assert.equal(data.kind === "huggingface" && data.upstream.dataset, "EleutherAI/pile-deduped-pythia-preshuffled");
  assert.equal(start?.kind === "huggingface" && start.model, "EleutherAI/pythia-410m-deduped");
});

Deno.test("domains=released-config leaves out Book and Wikipedia", async () => {
  const { data } = (await fixedPlan("small", { readings: { domains: "released-config" } })).scale;
  assert.deepEqual(data.kind === "huggingface" && data.downstream.leftOut, ["RedPajamaBook", "RedPajamaWikipedia"]);
});

Deno.test("same-data-horizon=upstream lays the same-data schedules out over the tokens of pre-training, and no others", async () => {
  const [usual, other] = [
    await fixedPlan("paper"),
    await fixedPlan("paper", { readings: { "same-data-horizon": "upstream" } }),
  ];
  const steps = (plan: typeof usual, experiment: string) => findRun(plan, experiment, "1x")?.specification.schedule;
  assert.equal(steps(usual, "same-data")?.totalSteps, 131_296);
  assert.equal(steps(other, "same-data")?.totalSteps, Math.round(299_892_736_000 / 2_260_992));
  assert.equal(steps(other, "same-data")?.warmupSteps, 1326.38);
  assert.deepEqual(steps(other, "max-learning-rate"), steps(usual, "max-learning-rate"));
  assert.equal(findRun(other, "same-data", "1x")?.steps, findRun(usual, "same-data", "1x")?.steps);
});

Deno.test("optimizer-state=carried is part of the keys of continued runs, and needs a model that was trained here", async () => {
  const readings = { "optimizer-state": "carried" } as const;
  const [usual, other] = [await fixedPlan("tiny"), await fixedPlan("tiny", { readings })];
  const start = findRun(other, "same-data", "1x")?.specification.initialWeights;
  assert.equal(start?.kind === "checkpoint" && start.optimizerState, "carried");
  for (const [index, { key, specification }] of usual.runs.entries()) {
    assert.equal(other.runs[index]?.key === key, specification.initialWeights.kind === "random");
  }
  await assert.rejects(fixedPlan("paper", { readings }), userError("NO_OPTIMIZER_STATE", "--start train"));
  const imported = [{ step: 143_000, weights: sha256(""), origin: "file:a" }];
  const only = ["max-learning-rate"];
  await assert.rejects(
    fixedPlan("tiny", { readings, start: "files", imported, only }),
    userError("NO_OPTIMIZER_STATE", "Adam"),
  );
  await fixedPlan("paper", { readings, start: "train" });
});

Deno.test("experiments/paper.yaml has an open point for every reading, and a sentence for every way to read it", async () => {
  const { content } = await loadPaper(FIXTURE_CATALOGUE);
  for (const [name, values] of Object.entries(READINGS)) {
    const points = content.openPoints.filter(({ reading }) => reading?.name === name);
    assert.equal(points.length, 1, name);
    assert.deepEqual(Object.keys(points[0]?.reading?.ways ?? {}).sort(), [...values].sort(), name);
  }
});
