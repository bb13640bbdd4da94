/** The reference's own fused multiply-add against exact integers: everything else that it computes rests on it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fma, fromBits, laneSum, toBits, treeSum } from "./ordered_arithmetic.ts";

/** Significand and exponent of a finite f32: value = significand · 2^exponent. */
function decompose(value: number): { significand: bigint; exponent: number } {
  const bits = toBits(value);
  const biased = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  const significand = BigInt(biased === 0 ? fraction : fraction | 0x800000);
  return { significand: bits >>> 31 === 1 ? -significand : significand, exponent: Math.max(biased, 1) - 150 };
}

/** a · b + c in exact integers, rounded to f32 by the definition: nearest, ties to even, subnormal numbers kept. */
function exactFma(a: number, b: number, c: number): number {
  const [x, y, z] = [decompose(a), decompose(b), decompose(c)];
  // In units of 2^−298, the smallest that a product of two f32 can need.
  const product = (x.significand * y.significand) << BigInt(x.exponent + y.exponent + 298);
  const exact = product + (z.significand << BigInt(z.exponent + 298));
  const magnitude = exact < 0n ? -exact : exact;
  // Bits below the result's last place: 24 significant bits, or units of 2^−149 where it is subnormal.
  const drop = BigInt(Math.max(magnitude.toString(2).length - 24, 149));
  const half = 1n << (drop - 1n);
  const rest = magnitude & ((1n << drop) - 1n);
  let kept = magnitude >> drop;
  if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
  const result = Math.fround(Number(kept) * 2 ** (Number(drop) - 298)); // exact, or beyond the largest f32
  return exact < 0n ? -result : result;
}

const finite = fc.integer({ min: 0, max: 0xffffffff }).map((bits) => fromBits(bits)).filter(Number.isFinite);
/** Values whose sums cancel or tie: few significant bits, exponents close together. */
const near = fc.tuple(fc.integer({ min: -4097, max: 4097 }), fc.integer({ min: -26, max: 2 })).map(([n, e]) =>
  Math.fround(n * 2 ** e)
);

function assertFma(a: number, b: number, c: number): void {
  const expected = exactFma(a, b, c);
  assert(fma(a, b, c) === expected, `fma(${a}, ${b}, ${c}) is ${fma(a, b, c)}, exactly rounded it is ${expected}`);
}

Deno.test("fma() rounds once for any three f32", () => {
  fc.assert(fc.property(finite, finite, finite, assertFma), { numRuns: 5000 });
});

Deno.test("fma() rounds once when sums tie or cancel", () => {
  fc.assert(fc.property(near, near, near, assertFma), { numRuns: 20000 });
});

Deno.test("fma() rounds once where two roundings go wrong", () => {
  // a · b lies in the middle of two f32; a c below the last bit of the double decides.
  const a = 1 + 2 ** -12, b = 1 + 2 ** -12 + 2 ** -23;
  const halfway: [number, number, number][] = [
    [1 + 2 ** -1, 1 + 2 ** -23, 2 ** -60], // 1.5 + 1.5 · 2^−23
    [1 + 2 ** -1, 1 + 2 ** -23, -(2 ** -60)],
    [1 + 2 ** -1, 1 + 3 * 2 ** -23, 2 ** -100],
    [1 + 2 ** -1, -(1 + 3 * 2 ** -23), 2 ** -149],
    [1 + 2 ** -1, -(1 + 2 ** -23), -(2 ** -149)],
  ];
  const wrong = halfway.filter(([x, y, z]) => Math.fround(x * y + z) !== exactFma(x, y, z));
  assert.notEqual(wrong.length, 0);
  for (const [x, y, z] of halfway) assertFma(x, y, z);
  for (const c of [2 ** -60, -(2 ** -60), -(2 ** -149), 2 ** -24, -(2 ** -24)]) assertFma(a, b, c);
  // half of the smallest subnormal beside the smallest normal number
  assertFma(2 ** -75, 2 ** -75, 2 ** -126);
  assertFma(2 ** -75, -(2 ** -75), 2 ** -126);
});

Deno.test("fma() keeps infinities and NaN", () => {
  assert.equal(fma(fromBits(0x7f7fffff), 2, 0), Infinity);
  assert.equal(fma(Infinity, 1, 1), Infinity);
  assert(Number.isNaN(fma(Infinity, 0, 1)));
});

Deno.test("laneSum() and treeSum() add in the order of docs/arithmetic.md §2", () => {
  // 2^24 absorbs a 1 that comes alone, but not two that come together.
  const big = 2 ** 24;
  const lanes = (terms: number[]) => laneSum(terms.length, (sum, i) => Math.fround(sum + (terms[i] ?? NaN)));
  const terms = new Array<number>(33).fill(0);
  terms[0] = big;
  terms[1] = 1;
  terms[17] = 1;
  assert.equal(lanes(terms), big + 2); // 1 and 17 meet before they meet lane 0
  terms[17] = 0;
  terms[16] = 1;
  assert.equal(lanes(terms), big); // 16 meets lane 0 alone
  assert.equal(treeSum([big, 1, 1]), big); // (big + 1) + 1
  assert.equal(treeSum([big, 0, 1, 1]), big + 2);
});
