import fc from "fast-check";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Blend, blendWithin } from "../../src/data/blend.ts";

Deno.test("Blend.range() takes the domains that GPT-NeoX's rule takes when worked out by hand", () => {
  // Deficits weight · max(i, 1) − taken, the first domain at a tie. For example before sample 2, with 1, 1, 0 taken:
  // 0.5 · 2 − 1 = 0, 0.3 · 2 − 1 = −0.4, 0.2 · 2 − 0 = 0.4, so domain 2. Before sample 10 all three are 0: domain 0.
  const { domains, indices } = new Blend([0.5, 0.3, 0.2]).range(0, 20);
  deepEqual([...domains], [0, 1, 2, 0, 1, 0, 2, 0, 1, 0, 0, 1, 2, 0, 1, 0, 2, 0, 1, 0]);
  deepEqual([...indices], [0, 0, 0, 1, 1, 2, 1, 3, 2, 4, 5, 3, 2, 6, 4, 7, 3, 8, 5, 9]);
});

Deno.test("Blend.range() is the same whatever was asked before", () => {
  const weights = [67, 15, 4.5, 4.5, 4.5, 2.5, 2];
  const whole = new Blend(weights).range(0, 200_000);
  const blend = new Blend(weights);
  fc.assert(
    fc.property(fc.nat(199_900), fc.integer({ min: 1, max: 100 }), (first, count) => {
      const part = blend.range(first, count);
      deepEqual(part.domains, whole.domains.slice(first, first + count));
      deepEqual(part.indices, whole.indices.slice(first, first + count));
    }),
    { numRuns: 200 },
  );
});

Deno.test("Blend.range() keeps every domain close to its share at any length", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 }), fc.nat(3000), (raw, n) => {
      fc.pre(raw.some((weight) => weight > 0));
      const sum = raw.reduce((total, weight) => total + weight, 0);
      const { domains } = new Blend(raw).range(0, n);
      for (const [domain, weight] of raw.entries()) {
        const taken = domains.filter((chosen) => chosen === domain).length;
        ok(Math.abs(taken - weight / sum * n) <= raw.length, `domain ${domain}: ${taken} of ${n}`);
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("blendWithin() lets a used-up domain stand aside and ends with the samples", () => {
  const { domains, indices } = blendWithin([0.9, 0.1], [2, 5], 100);
  // Before sample 1 the deficits are 0.9 − 1 and 0.1 − 0, before sample 2 they are 1.8 − 1 and 0.2 − 1.
  deepEqual([...domains], [0, 1, 0, 1, 1, 1, 1]);
  deepEqual([...indices], [0, 0, 1, 1, 2, 3, 4]);
  equal(blendWithin([1, 1], [0, 0], 5).domains.length, 0);
});

Deno.test("Blend refuses weights that cannot be shares", () => {
  for (const weights of [[], [0, 0], [1, -1], [NaN], new Array<number>(257).fill(1)]) {
    throws(() => new Blend(weights), RangeError);
  }
});
