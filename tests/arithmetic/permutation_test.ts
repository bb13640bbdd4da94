import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { Permutation } from "../../src/arithmetic/permutation.ts";

const order = (permutation: Permutation) =>
  Array.from({ length: permutation.size }, (_, position) => permutation.at(position));

Deno.test("Permutation gives the values of an independent implementation in whole numbers", () => {
  deepEqual(order(new Permutation(10, 1234, [0, 0, 3])), [9, 5, 2, 0, 3, 6, 8, 4, 1, 7]);
  const large = new Permutation(1000003, 7, [0, 99, 2]);
  deepEqual([0, 1, 2, 1000002].map((position) => large.at(position)), [949931, 550387, 872182, 66778]);
  const largest = new Permutation(2 ** 40, 2 ** 40 + 5, [1, 2, 3]);
  deepEqual([0, 1, 2 ** 40 - 1].map((position) => largest.at(position)), [411594906299, 826159814416, 996805391299]);
});

Deno.test("Permutation is a bijection for any size and seed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), fc.maxSafeNat(), fc.nat(), (size, seed, epoch) => {
      const sorted = order(new Permutation(size, seed, [epoch, 1, 2])).sort((a, b) => a - b);
      deepEqual(sorted, Array.from({ length: size }, (_, i) => i));
    }),
    { numRuns: 200 },
  );
});

Deno.test("Permutation keeps elements apart and inside when there are far too many for a table", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 33, max: 2 ** 40 }), fc.maxSafeNat(), (size, seed) => {
      const permutation = new Permutation(size, seed, [0, 1, 2]);
      const seen = new Set<number>();
      for (let position = size - 500; position < size; position++) seen.add(permutation.at(position));
      equal(seen.size, 500);
      for (const element of seen) ok(Number.isInteger(element) && element >= 0 && element < size);
    }),
    { numRuns: 20 },
  );
});

Deno.test("Permutation puts each element at each position about equally often over seeds", () => {
  const size = 5, seeds = 4000;
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let seed = 0; seed < seeds; seed++) {
    for (const [position, element] of order(new Permutation(size, seed, [0, 0, 3])).entries()) {
      const row = counts[position];
      if (row !== undefined) row[element] = (row[element] ?? 0) + 1;
    }
  }
  const expected = seeds / size;
  const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 16 degrees of freedom; 39.3 is passed by chance once in a thousand. The seeds are fixed, so this is no coin toss.
  ok(chiSquare < 39.3, `chi-square is ${chiSquare}`);
});

Deno.test("Permutation gives another order for another seed and for each word of the stream", () => {
  const base = order(new Permutation(100, 1, [0, 0, 0]));
  const others = [
    new Permutation(100, 2, [0, 0, 0]),
    new Permutation(100, 1 + 2 ** 32, [0, 0, 0]),
    new Permutation(100, 1, [1, 0, 0]),
    new Permutation(100, 1, [0, 1, 0]),
    new Permutation(100, 1, [0, 0, 1]),
  ].map((permutation) => order(permutation).join());
  equal(new Set([base.join(), ...others]).size, 6);
});

Deno.test("Permutation refuses sizes, seeds and positions out of range", () => {
  for (const size of [0, -1, 1.5, NaN, 2 ** 40 + 1]) throws(() => new Permutation(size, 0, [0, 0, 0]), RangeError);
  for (const seed of [-1, 0.5, 2 ** 53]) throws(() => new Permutation(5, seed, [0, 0, 0]), RangeError);
  const permutation = new Permutation(5, 0, [0, 0, 0]);
  for (const position of [-1, 5, 0.5]) throws(() => permutation.at(position), RangeError);
});
