import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { namedRun, readSharedPlan } from "../../src/worker/shared_plan.ts";
import { requireEngineOf } from "../../src/worker/open_shared.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { EMPTY, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";

const smoke = await SmallSmoke.make(["warmup-length"]);
const { plan } = smoke;
const [run] = plan.runs;
assert(run !== undefined);

function withCode(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof UserError && error.code === code && words.test(error.message);
}

Deno.test("readSharedPlan() gives the plan that was written, and says what to do where there is none", async () => {
  const disk = new SimulatedDisk(EMPTY);
  await assert.rejects(readSharedPlan(OUTPUT, disk.files), withCode("NO_PLAN", /has no plan\.json: write it once/));
  await smoke.share(disk.files);
  assert.equal((await readSharedPlan(OUTPUT, disk.files)).planDigest, plan.planDigest);
});

Deno.test("readSharedPlan() refuses a plan of another version, or one that was edited", async () => {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.share(disk.files);
  const path = `${OUTPUT}/plan.json`;
  const text = new TextDecoder().decode(disk.afterStop("kept").get(path));
  for (
    const changed of [
      text.replace('"seeds":1', '"seeds":1,"partitions":4'),
      text.replace(/"steps":64/, '"steps":65'),
      text.slice(0, 1000),
    ]
  ) {
    assert.notEqual(changed, text);
    const image = new Map(disk.afterStop("kept")).set(path, new TextEncoder().encode(changed));
    await assert.rejects(
      readSharedPlan(OUTPUT, new SimulatedDisk(image).files),
      withCode("PLAN_DAMAGED", /This version cannot read the plan .*use the version of rewarm that wrote it/),
    );
  }
});

Deno.test("namedRun() takes a label or digits of a key, and names the nearest label of one that is unknown", () => {
  assert.equal(namedRun(plan, run.label), run);
  assert.equal(namedRun(plan, run.key), run);
  assert.equal(namedRun(plan, run.key.slice(0, 8)), run);
  for (const name of ["", run.key.slice(0, 7), "ffffffffffffffff"]) {
    assert.throws(() => namedRun(plan, name), withCode("UNKNOWN_RUN", /The plan has no run/), name);
  }
  assert.throws(
    () => namedRun(plan, "upstream_pretrian_seed-0"),
    withCode("UNKNOWN_RUN", /did you mean "upstream_pretrain_seed-0"\?/),
  );
});

Deno.test("requireEngineOf() refuses an engine that computes other bits", () => {
  requireEngineOf(plan, plan.engine);
  assert.throws(
    () => requireEngineOf(plan, { level: "run_to_run", arithmetic: "cuda-bf16/1" }),
    withCode("OUTPUT_FOLDER_OF_ANOTHER_PLAN", /The plan is for the arithmetic "fake\/1" .*name the plan's engine/),
  );
});
