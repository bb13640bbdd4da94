import assert from "node:assert/strict";
import { chooseParts, ENVIRONMENT, PARTS } from "../../benchmarks/gpu/parts.ts";
import { type Stage, STAGES } from "../../benchmarks/gpu/results.ts";

const TEN_MINUTES = 600;

Deno.test("every part has a name of its own, belongs to a stage, and ends within ten minutes", () => {
  const names = PARTS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(new Set(PARTS.map(({ stage }) => stage)), new Set<Stage>(STAGES));
  for (const { name, seconds } of PARTS) assert(seconds > 0 && seconds < TEN_MINUTES, `${name}: ${seconds} s`);
  assert(!names.some((name) => STAGES.some((stage) => stage === name && stage !== "environment")));
});

Deno.test("chooseParts() takes parts and stages by name, in their order, after the environment", () => {
  assert.deepEqual(chooseParts([]), PARTS);
  assert.deepEqual(chooseParts(["speed-14m", "peaks"]).map(({ name }) => name), ["environment", "peaks", "speed-14m"]);
  const speed = chooseParts(["speed"]);
  assert.equal(speed[0], ENVIRONMENT);
  assert.deepEqual(new Set(speed.slice(1).map(({ stage }) => stage)), new Set(["speed"]));
  assert.deepEqual(speed.slice(1), PARTS.filter(({ stage }) => stage === "speed"));
});

Deno.test("chooseParts() names the nearest part when it does not know one", () => {
  assert.throws(() => chooseParts(["golden-digst"]), /"golden-digst": did you mean "golden-digest"/);
});
