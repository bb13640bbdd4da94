import assert from "node:assert/strict";
import { linearRegression, perplexity } from "../../../src/results/statistics/regression.ts";

/** Anscombe's first data set ("Graphs in statistical analysis", 1973), whose statistics are in every textbook. */
const ANSCOMBE_X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
const ANSCOMBE_Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];

Deno.test("linearRegression() agrees with the textbook's line", () => {
  const line = linearRegression(ANSCOMBE_X, ANSCOMBE_Y);
  assert.equal(line?.slope.toFixed(4), "0.5001");
  assert.equal(line?.intercept.toFixed(4), "3.0001");
  assert.equal(line?.rSquared.toFixed(4), "0.6665");
});

Deno.test("linearRegression() has no answer when x or y does not vary", () => {
  assert.equal(linearRegression([1, 1, 1], [1, 2, 3]), undefined);
  assert.equal(linearRegression([1, 2, 3], [2, 2, 2]), undefined);
  assert.throws(() => linearRegression([1, 2], [1]), RangeError);
});

Deno.test("perplexity() of the loss of a uniform guess is the number of choices", () => {
  assert.equal(perplexity(0), 1);
  assert.equal(perplexity(5.545177444479562).toFixed(9), "256.000000000"); // ln 256
});
