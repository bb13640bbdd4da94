import assert from "node:assert/strict";
import { interpolate } from "../../../src/train/start/initial_state.ts";

Deno.test("interpolate() rounds a point on the line once to f32", () => {
  const a = Float32Array.of(0.1, -3, 1e-30, 16777216, 1);
  const b = Float32Array.of(0.7, 5, 3e30, 16777218, 1);
  const point = b.slice();
  interpolate(a, point, 0.75);
  // In exact arithmetic, rounded to the nearest f32: computed with Python's fractions.
  assert.deepEqual([...point], [0.550000011920929, 3, 2.2499998449621397e30, 16777218, 1].map(Math.fround));
  const half = b.slice();
  interpolate(a, half, 0.5);
  assert.equal(half[3], 16777216); // 16777217 lies between two floats: to even
});
