import assert from "node:assert/strict";
import { outdatedFiles } from "../tools/generate.ts";
import { costHeader } from "../tools/scale_costs.ts";
import { fixedPlan } from "./experiment/plan/plan_fixture.ts";

Deno.test("schemas and costs of scales are what the code gives", async () => {
  assert.deepEqual(await outdatedFiles(), [], 'run "deno task generate"');
});

Deno.test("costHeader() states parameters, tokens and FLOPs of a plan", async () => {
  assert.equal(
    costHeader(await fixedPlan("tiny")),
    [
      "# parameters    182,848",
      "# pre-training  2,000 steps of 2,048 tokens = 4.10M tokens",
      "# continuing    1,050 steps of 2,048 tokens = 2.15M tokens, the schedule's whole horizon",
      "# everything    17 runs, 8,192 steps, 16.8M tokens, 23.8T FLOPs with evaluation, at one seed",
    ].join("\n"),
  );
});
