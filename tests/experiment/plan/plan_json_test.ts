import assert from "node:assert/strict";
import { UserError } from "../../../src/errors.ts";
import { planFromJson, planToJson } from "../../../src/experiment/plan/plan_json.ts";
import { fixedPlan } from "./plan_fixture.ts";
import { present } from "../../present.ts";

const plan = await fixedPlan("smoke", { seeds: 2 });
const text = JSON.stringify(planToJson(plan));

Deno.test("planFromJson() gives back what planToJson() wrote", () => {
  assert.deepEqual(planFromJson(JSON.parse(text), "plan.json"), present(plan));
});

const DAMAGE: readonly (readonly [string, string, string, string])[] = [
  ["another order seed", '"orderSeed":1235', '"orderSeed":1236', '"plan.json": key of run "warmup-length_0%_seed-0"'],
  ["other steps", '"steps":52', '"steps":51', '"plan.json": planDigest is not'],
  ["another title", "Training from scratch", "Training", '"plan.json": planDigest is not'],
  ["an unknown field", '"seeds":2', '"seeds":2,"sead":3', '"plan.json": unknown key sead: did you mean "seeds"?'],
  [
    "a key that is none",
    plan.runs[0]?.key ?? "",
    "abc",
    '"plan.json": runs[0].key is "abc", expected a SHA-256 digest',
  ],
];

for (const [what, from, to, message] of DAMAGE) {
  Deno.test(`planFromJson() throws when the file has ${what}`, () => {
    const damaged = text.replace(from, to);
    assert.notEqual(damaged, text);
    assert.throws(
      () => planFromJson(JSON.parse(damaged), "plan.json"),
      (error) => error instanceof UserError && error.message.startsWith(message),
    );
  });
}
