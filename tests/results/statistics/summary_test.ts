import assert from "node:assert/strict";
import { effectSize, mean, standardDeviation } from "../../../src/results/statistics/summary.ts";

/** Anscombe's first data set ("Graphs in statistical analysis", 1973), whose statistics are in every textbook. */
const ANSCOMBE_X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
const ANSCOMBE_Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];

Deno.test("mean() and standardDeviation() agree with the textbook's values", () => {
  assert.equal(mean(ANSCOMBE_X), 9);
  assert.equal(mean(ANSCOMBE_Y).toFixed(2), "7.50");
  assert.equal((standardDeviation(ANSCOMBE_X) ** 2).toFixed(9), "11.000000000");
  assert.throws(() => mean([]), RangeError);
  assert.throws(() => standardDeviation([1]), RangeError);
});

Deno.test("effectSize() has no value when all differences are the same", () => {
  assert.equal(effectSize([0.5, 0.5]), undefined);
  assert.equal(effectSize([1, 3])?.toFixed(9), Math.SQRT2.toFixed(9)); // mean 2, standard deviation √2
});
