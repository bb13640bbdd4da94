import assert from "node:assert/strict";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import { pricePlan } from "../../src/experiment/plan/price.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { budgetClaims, formatBudget } from "../../src/results/claim_budget.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const ENGINE = { level: "machine_to_machine", arithmetic: "ordered-f32/1" } as const;
const PRICE = { gpu: "h200", utilization: 0.45, dollarsPerHour: 3.5 };
const { content: paper } = await loadPaper(FIXTURE_CATALOGUE);
const plan = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", seeds: 1, engine: ENGINE });

Deno.test("budgetClaims() orders claims by what each costs on top, and shared runs are paid for once", () => {
  const claims = budgetClaims(paper, plan, PRICE, 3000);
  assert.equal(claims.length, paper.claims.length);
  let total = 0;
  for (const { dollars, total: sum, affordable } of claims) {
    total += dollars;
    assert(Math.abs(sum - total) < 1e-6);
    assert.equal(affordable, sum <= 3000);
  }
  // Both losses come from the same runs.
  const [first, second] = claims;
  assert(first !== undefined && second !== undefined && first.dollars > 0);
  assert.equal(second.dollars, 0);
  // All claims together read almost everything: of the runs of 240B tokens no more than these.
  const whole = pricePlan(plan, PRICE).continuing.dollars;
  assert(total <= whole * (1 + 1e-9) && total > 0.9 * whole, `${total} of ${whole}`);
});

Deno.test("budgetClaims() buys everything or nothing at the ends, and more for more", () => {
  const bought = (dollars: number) =>
    budgetClaims(paper, plan, PRICE, dollars).filter((claim) => claim.affordable).length;
  assert.equal(bought(1), 0);
  assert.equal(bought(1e6), paper.claims.length);
  let before = 0;
  for (const dollars of [500, 1000, 2000, 4000, 8000, 16_000]) {
    const now = bought(dollars);
    assert(now >= before);
    before = now;
  }
});

Deno.test("budgetClaims() leaves out what the plan does not hold or the scale cannot judge", async () => {
  const part = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "paper", seeds: 1, engine: ENGINE, only: ["same-data"] });
  const claims = budgetClaims(paper, part, PRICE, 1e6);
  assert(claims.length > 0 && claims.every(({ arms }) => arms.every((arm) => arm.startsWith("same-data/"))));
  const tiny = await buildPlan({ ...FIXTURE_CATALOGUE, scale: "tiny", seeds: 1, engine: ENGINE });
  assert(budgetClaims(paper, tiny, PRICE, 1e6).length < paper.claims.length);
});

Deno.test("formatBudget() ends with the option that buys the claims", () => {
  const text = formatBudget(budgetClaims(paper, plan, PRICE, 1000), 1000);
  assert.match(text, /^\$1,000 pay for the evidence of \d+ of 24 claims/);
  assert.match(text, /\n {2}--only warmup-length\/0% warmup-length\/1%$/);
});
