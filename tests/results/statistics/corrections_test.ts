/** Sign flips, Holm's correction and the jackknife, against values worked out by hand or in their papers. */
import assert from "node:assert/strict";
import { holmAdjusted } from "../../../src/results/statistics/holm.ts";
import { combinedError, groupCount, groupOf, jackknifeError } from "../../../src/results/statistics/jackknife.ts";
import { errorOverSeeds, probabilityAbove, tInterval } from "../../../src/results/statistics/paired_test.ts";
import { signFlipProbability } from "../../../src/results/statistics/sign_flip.ts";
import { mean, standardDeviation } from "../../../src/results/statistics/summary.ts";

/** Darwin's fifteen pairs of maize, in eighths of an inch: the data of Fisher's "Design of Experiments", 1935. */
const DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

Deno.test("signFlipProbability() gives Fisher's own count for Darwin's maize", () => {
  // Fisher (1935, section 21): 863 of the 2^15 sums are as large as the one found
  assert.equal(signFlipProbability(DARWIN), 863 / 2 ** 15);
});

Deno.test("signFlipProbability() is 1/32 where five seeds agree, and refuses fewer", () => {
  assert.equal(signFlipProbability([1, 2, 3, 4, 5]), 1 / 32);
  assert.equal(signFlipProbability([-1, -2, -3, -4, -5]), 1);
  assert.throws(() => signFlipProbability([1, 2, 3, 4]), RangeError);
});

Deno.test("the paired t test gives Fisher's value for Darwin's maize", () => {
  const error = errorOverSeeds(DARWIN);
  assert.equal((mean(DARWIN) / error.value).toFixed(3), "2.148");
  assert.equal((2 * probabilityAbove(mean(DARWIN), 0, error)).toFixed(4), "0.0497");
  const { low, high } = tInterval(mean(DARWIN), error, 0.95);
  assert.ok(low > 0 && low < 0.1 && high > 41.7 && high < 41.9); // 0.03 to 41.8
});

Deno.test("holmAdjusted() steps down from the smallest probability", () => {
  assert.deepEqual(holmAdjusted([0.01, 0.04, 0.03, 0.005]).map((p) => p.toFixed(3)), [
    "0.030",
    "0.060",
    "0.060",
    "0.020",
  ]);
  assert.deepEqual(holmAdjusted([]), []);
  assert.deepEqual(holmAdjusted([0.7, 0.6]), [1, 1]);
});

Deno.test("jackknifeError() of a mean is the mean's standard error", () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const leftOut = values.map((_, without) => mean(values.filter((_, index) => index !== without)));
  const { value, degrees } = jackknifeError(leftOut);
  assert.ok(Math.abs(value - standardDeviation(values) / Math.sqrt(values.length)) < 1e-12);
  assert.equal(degrees, 7);
  assert.throws(() => jackknifeError([1]), RangeError);
});

Deno.test("combinedError() adds variances, with Welch's degrees of freedom", () => {
  assert.deepEqual(combinedError([{ value: 3, degrees: 10 }, { value: 4, degrees: 10 }]), { value: 5, degrees: 18 });
  assert.deepEqual(combinedError([{ value: 0, degrees: 4 }, { value: 2, degrees: 7 }]), { value: 2, degrees: 7 });
  assert.deepEqual(combinedError([{ value: 0, degrees: 4 }]), { value: 0, degrees: 4 });
});

Deno.test("groups of documents: each its own while there are few, else spread evenly", () => {
  assert.equal(groupCount(33), 33);
  assert.equal(groupCount(5000), 64);
  const sizes = new Array<number>(64).fill(0);
  for (let document = 0; document < 5000; document++) sizes[groupOf(document, 5000)]! += 1;
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
});
