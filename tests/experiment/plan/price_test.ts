import assert from "node:assert/strict";
import { buildPlan } from "../../../src/experiment/plan/plan.ts";
import { formatPrice, pricePlan } from "../../../src/experiment/plan/price.ts";
import { FIXTURE_CATALOGUE } from "./plan_fixture.ts";

const ENGINE = { level: "machine_to_machine", arithmetic: "ordered-f32/1" } as const;
const PRICE = { gpu: "h200", utilization: 0.4, dollarsPerHour: 3.5 };

Deno.test("pricePlan() prices FLOPs over the share of the peak that is reached", async () => {
  const plan = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", seeds: 1, engine: ENGINE });
  const { pretraining, continuing } = pricePlan(plan, PRICE);
  const seconds = plan.totals.flops / (989e12 * 0.4);
  assert(Math.abs(pretraining.gpuDays + continuing.gpuDays - seconds / 86_400) < 1e-6 * seconds);
  assert(Math.abs(continuing.dollars - continuing.gpuDays * 24 * 3.5) < 1e-6 * continuing.dollars);
  const half = pricePlan(plan, { ...PRICE, utilization: 0.2 });
  assert(Math.abs(half.continuing.dollars / continuing.dollars - 2) < 1e-12);
});

Deno.test("pricePlan() keeps a start that is only pulled in with the pre-training", async () => {
  const whole = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", seeds: 1, engine: ENGINE });
  const part = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", seeds: 1, engine: ENGINE, only: ["same-data"] });
  assert.equal(pricePlan(part, PRICE).pretraining.gpuDays, pricePlan(whole, PRICE).pretraining.gpuDays);
  assert.match(formatPrice(part, PRICE), /on h200 at 40 % of its 16-bit peak and \$3\.5 an hour/);
});

Deno.test("pricePlan() names the nearest GPU when it does not know one", async () => {
  const plan = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "smoke", seeds: 1, engine: ENGINE });
  assert.throws(() => pricePlan(plan, { ...PRICE, gpu: "h20" }), {
    code: "UNKNOWN_GPU",
    message: /did you mean "h200"/,
  });
});
