import assert from "node:assert/strict";
import fc from "fast-check";
import { pointAt } from "../../src/results/curves.ts";

Deno.test("pointAt() finds the evaluation that a search from the start finds", () => {
  const steps = fc.uniqueArray(fc.nat(60)).map((steps) => steps.sort((a, b) => a - b));
  fc.assert(
    fc.property(steps, fc.nat(62), (steps, wanted) => {
      const points = steps.map((step) => ({ step, tokens: 0, learningRate: 0, upstream: 0, downstream: 0 }));
      assert.equal(pointAt({ points }, wanted), points.find(({ step }) => step === wanted));
    }),
    { numRuns: 1000, seed: 1 },
  );
});
