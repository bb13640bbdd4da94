import assert from "node:assert/strict";
import fc from "fast-check";
import { bootstrapInterval } from "../../../src/results/statistics/bootstrap.ts";

const seeds = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 });

Deno.test("bootstrapInterval() finds the percentiles that the binomial distribution has", () => {
  // Resampled means of ten zeros and ten ones are Binomial(20, 1/2) / 20, whose 2.5 % and 97.5 % quantiles are 6 and 14.
  const zerosAndOnes = Array.from({ length: 20 }, (_, i) => i % 2);
  assert.deepEqual(bootstrapInterval(zerosAndOnes), { low: 0.3, high: 0.7 });
  // Of five seeds with one outlier the mean is outlier-free with probability (4/5)^5 = 33 %, and has three or more of
  // it with 5.8 %, four or more with 0.7 %: the upper end is 3/5.
  assert.deepEqual(bootstrapInterval([0, 0, 1, 0, 0]), { low: 0, high: 0.6 });
});

Deno.test("bootstrapInterval() spans all values when there are two or three seeds", () => {
  // the means at the ends have probabilities 1/4 and 1/27, more than the tail of 2.5 %
  assert.deepEqual(bootstrapInterval([1, 3]), { low: 1, high: 3 });
  assert.deepEqual(bootstrapInterval([4, 1, 2]), { low: 1, high: 4 });
});

Deno.test("bootstrapInterval() lies within the values, and moves and scales with them", () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(0.5, 2, 4), (values, factor) => {
      const { low, high } = bootstrapInterval(values);
      const tolerance = 1e-12;
      assert.ok(Math.min(...values) - tolerance <= low && low <= high && high <= Math.max(...values) + tolerance);
      // powers of two scale without rounding, short of the smallest doubles
      const scaled = bootstrapInterval(values.map((value) => value * factor));
      assert.ok(Math.abs(scaled.low - low * factor) <= 1e-300 && Math.abs(scaled.high - high * factor) <= 1e-300);
    }),
    { numRuns: 10 },
  );
});

Deno.test("bootstrapInterval() gives the same bits every time", () => {
  const values = [0.011, -0.004, 0.007, 0.0152, 0.0009];
  const first = bootstrapInterval(values);
  bootstrapInterval([3, 1, 2]);
  assert.deepEqual(bootstrapInterval(values), first);
  assert.throws(() => bootstrapInterval([1]), RangeError);
});
