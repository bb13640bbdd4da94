import assert from "node:assert/strict";
import { tailProbability, upperQuantile } from "../../../src/results/statistics/student_t.ts";

Deno.test("upperQuantile() gives the values of every printed table of Student's t", () => {
  // Abramowitz and Stegun, table 26.10, to three decimals: 2.5 %, 5 % and 0.5 % above
  const table: [degrees: number, half: string, five: string, small: string][] = [
    [1, "12.706", "6.314", "63.657"],
    [2, "4.303", "2.920", "9.925"],
    [3, "3.182", "2.353", "5.841"],
    [4, "2.776", "2.132", "4.604"],
    [9, "2.262", "1.833", "3.250"],
    [22, "2.074", "1.717", "2.819"],
    [30, "2.042", "1.697", "2.750"],
    [120, "1.980", "1.658", "2.617"],
  ];
  for (const [degrees, half, five, small] of table) {
    assert.equal(upperQuantile(0.025, degrees).toFixed(3), half);
    assert.equal(upperQuantile(0.05, degrees).toFixed(3), five);
    assert.equal(upperQuantile(0.005, degrees).toFixed(3), small);
  }
});

Deno.test("tailProbability() has the closed forms of one and two degrees of freedom, far into the tail", () => {
  // one: the Cauchy distribution; two: (1 − t / √(2 + t²)) / 2
  for (const t of [0, 0.1, 0.7, 1, 1.5, 4, 30, 500]) {
    assert.ok(Math.abs(tailProbability(t, 1) - (0.5 - Math.atan(t) / Math.PI)) < 1e-14, `${t}`);
    assert.ok(Math.abs(tailProbability(t, 2) - (1 - t / Math.sqrt(2 + t * t)) / 2) < 1e-14, `${t}`);
  }
  assert.equal(tailProbability(0, 7), 0.5);
  assert.equal(tailProbability(Infinity, 7), 0);
  assert.equal(tailProbability(-Infinity, 7), 1);
});

Deno.test("tailProbability() comes to the normal distribution with many degrees of freedom", () => {
  assert.ok(Math.abs(tailProbability(1.959963984540054, 100_000) - 0.025) < 2e-6);
});

Deno.test("tailProbability() is symmetric and falls", () => {
  for (const degrees of [1, 2, 3, 8, 57]) {
    let before = 1;
    for (let t = -6; t <= 6; t += 0.25) {
      const tail = tailProbability(t, degrees);
      assert.ok(tail < before);
      assert.ok(Math.abs(tail + tailProbability(-t, degrees) - 1) < 1e-14);
      before = tail;
    }
  }
});

Deno.test("tailProbability() refuses degrees of freedom that are none", () => {
  for (const degrees of [0, 1.5, -1, NaN, 100_001]) assert.throws(() => tailProbability(1, degrees), RangeError);
  assert.throws(() => upperQuantile(0.5, 3), RangeError);
});
