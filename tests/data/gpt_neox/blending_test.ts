import fc from "fast-check";
import { deepEqual, equal, throws } from "node:assert/strict";
import { Blend } from "../../../src/data/blend.ts";
import { blendShares } from "../../../src/data/gpt_neox/blending.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

Deno.test("blendShares() normalises as Python's sum and then numpy's do, to the last bit", () => {
  for (const { weights, normalised } of KNOWN_ANSWERS.weights) {
    deepEqual([...blendShares(weights, 1).weights], normalised);
  }
});

Deno.test("blendShares() asks for the samples that Pythia's index files are named by", () => {
  deepEqual(blendShares([1], 143_000 * 1024).samples, [147_164_160]);
  // Ten evaluations of 1024 samples, for the test set.
  deepEqual(blendShares([1], 10 * 1024).samples, [10_292]);
  deepEqual(blendShares([3, 1], 1000).samples, [754, 252]);
});

Deno.test("a blend takes its turns as GPT-NeoX's rule does in numpy", () => {
  for (const { weights, size, sha256: digest, taken } of KNOWN_ANSWERS.blends) {
    const { domains, indices } = new Blend(blendShares(weights, size).weights).range(0, size);
    equal(sha256(domains), digest);
    const last = weights.map((_, set) => domains.lastIndexOf(set));
    deepEqual(last.map((i) => (indices[i] ?? NaN) + 1), taken);
  }
});

Deno.test("a blend takes the shares as they are, without a third division", () => {
  const shares = Float64Array.of(0.5, 0.25);
  deepEqual(new Blend(shares).weights, [...shares]);
});

Deno.test("a blend never asks a dataset for more samples than blendShares() counted", () => {
  const weight = fc.double({ min: 1e-3, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 2000 }), (given, size) => {
      const { weights, samples } = blendShares(given, size);
      const { domains } = new Blend(weights).range(0, size);
      for (const [set, available] of samples.entries()) {
        const taken = domains.reduce((count, domain) => count + Number(domain === set), 0);
        if (taken > available) throw new Error(`${taken} of ${available} samples of set ${set}`);
      }
    }),
  );
});

Deno.test("blendShares() refuses weights that GPT-NeoX cannot blend", () => {
  for (const weights of [[], [1, 0], [1, -1], [NaN], [Infinity], new Array<number>(255).fill(1)]) {
    throws(() => blendShares(weights, 1), RangeError);
  }
});
