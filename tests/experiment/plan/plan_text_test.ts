import assert from "node:assert/strict";
import { buildPlan } from "../../../src/experiment/plan/plan.ts";
import { formatPlan } from "../../../src/experiment/plan/plan_text.ts";
import { compactNumber, groupedNumber } from "../../../src/text/numbers.ts";
import { FIXED_OPTIONS, fixedPlan, FIXTURE_CATALOGUE } from "./plan_fixture.ts";

Deno.test("formatPlan() shows arms, shared runs and costs", async () => {
  const only = ["warmup-length/1%", "max-learning-rate/1x"];
  const plan = await fixedPlan("smoke", { only });
  const lines = formatPlan(plan).split("\n");
  assert.equal(lines[0], 'Plan for scale "smoke": a few thousand parameters, for tests');
  assert.equal(lines[3], "  reading optimizer-state=reset, same-data-horizon=downstream");
  assert.equal(lines[6], `  digest  ${plan.planDigest}`);
  assert.deepEqual(lines.slice(8), [
    "experiment         arm  run                        read to  steps  tokens  FLOPs",
    "(start of others)       upstream_pretrain_seed-0               64   8.19k   692M",
    "warmup-length      1%   warmup-length_1%_seed-0         11     52   6.66k   667M",
    "max-learning-rate  1x   = warmup-length_1%_seed-0       52",
    "",
    "2 arms need 2 distinct runs, 1.41k tokens saved by sharing",
    "in all 116 steps, 14.8k tokens trained on, 10.8k evaluated, 1.36G FLOPs",
    "",
  ]);
});

Deno.test("formatPlan() says when data are not fetched", async () => {
  const { corpusDigests: _, ...options } = FIXED_OPTIONS;
  const text = formatPlan(await buildPlan({ ...options, ...FIXTURE_CATALOGUE, scale: "paper" }));
  assert.match(text, /data {4}not fetched: huggingface:.*; this plan can be priced, not trained/);
  assert.match(text, /start {3}not fetched: huggingface:EleutherAI\/pythia-410m/);
  assert.match(text, /405,334,016 parameters, sequences of 2,048 tokens/);
});

Deno.test("formatPlan() counts all seeds and shows the first", async () => {
  const text = formatPlan(await fixedPlan("smoke", { seeds: 3, only: ["from-scratch"] }));
  assert.match(text, /3 arms at 3 seeds need 3 distinct runs/);
  assert.match(text, /from-scratch_scratch_seed-0/);
  assert.doesNotMatch(text, /seed-1/);
});

Deno.test("compactNumber() keeps three digits", () => {
  assert.deepEqual(
    [0, 7, 999, 1000, 9994, 9996, 99_960, 999_600, 21.7e6, 2.05e12, 5.93e21].map(compactNumber),
    ["0", "7", "999", "1.00k", "9.99k", "10.0k", "100k", "1.00M", "21.7M", "2.05T", "5.93Z"],
  );
});

Deno.test("groupedNumber() puts commas between thousands", () => {
  assert.deepEqual([0, 999, 1000, 131_296, 405_334_016].map(groupedNumber), [
    "0",
    "999",
    "1,000",
    "131,296",
    "405,334,016",
  ]);
});
