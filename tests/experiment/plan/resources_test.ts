import assert from "node:assert/strict";
import { buildPlan } from "../../../src/experiment/plan/plan.ts";
import { pricePlan } from "../../../src/experiment/plan/price.ts";
import { criticalPath, formatResources, runResources } from "../../../src/experiment/plan/resources.ts";
import { FIXTURE_CATALOGUE } from "./plan_fixture.ts";

const ENGINE = { level: "machine_to_machine", arithmetic: "ordered-f32/1" } as const;
const PRICE = { gpu: "h200", utilization: 0.45, dollarsPerHour: 3.5 };
const plan = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", start: "train", seeds: 1, engine: ENGINE });

Deno.test("runResources() adds up to the plan's price, with the paper's warm-ups and a checkpoint every 1000 steps", () => {
  const needs = runResources(plan, PRICE);
  const { pretraining, continuing } = pricePlan(plan, PRICE);
  const dollars = needs.reduce((sum, need) => sum + need.dollars, 0);
  assert(Math.abs(dollars - pretraining.dollars - continuing.dollars) < 1e-6 * dollars);
  const of = (label: string) => needs.find(({ run }) => run.label === label);
  assert.equal(of("warmup-length_0.5%_seed-0")?.warmupSteps, 656.48);
  assert.equal(of("warmup-length_1%_seed-0")?.warmupSteps, 1312.96);
  assert.equal(of("warmup-length_2%_seed-0")?.warmupSteps, 2625.92);
  assert.equal(of("upstream_pretrain_seed-0")?.checkpoints, 143);
  assert.equal(of("upstream_pretrain_seed-0")?.diskBytes, 143 * 12 * 405_334_016);
});

Deno.test("criticalPath() is the longest run, and behind it the part of pre-training that it starts from", () => {
  const needs = new Map(runResources(plan, PRICE).map((need) => [need.run.label, need.gpuDays]));
  const without = criticalPath(plan, PRICE, false);
  assert.equal(without.runs.length, 1);
  assert.equal(
    without.gpuDays,
    Math.max(...[...needs].filter(([label]) => !label.startsWith("upstream")).map(([, d]) => d)),
  );
  const whole = criticalPath(plan, PRICE, true);
  assert.equal(whole.runs[0]?.label, "upstream_pretrain_seed-0");
  assert.equal(whole.runs.length, 2);
  const sum = whole.runs.reduce((total, { label }) => total + (needs.get(label) ?? 0), 0);
  assert(Math.abs(whole.gpuDays - sum) < 1e-6, `${whole.gpuDays}, ${sum}`);
});

Deno.test("formatResources() shows every run with its learning rates' digest", () => {
  const text = formatResources(plan, PRICE);
  for (const { label } of plan.runs) assert(text.includes(label));
  assert.match(text, /run +steps +warm-up +LR table +checkpoints +disk +GPU-days +price/);
  assert.match(text, /checkpoints take 4\.63TB in all/);
});
