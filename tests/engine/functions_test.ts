/** Functions of the exact engine: their bits against the reference, their errors against doubles and BigInt. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { exp as exp64, log as log64 } from "../../src/arithmetic/elementary.ts";
import { fmaIsFused } from "../../src/engine/exact/kernels.ts";
import { preciseNormal, toNumber } from "../arithmetic/high_precision.ts";
import { exp, gelu, log } from "../reference/functions.ts";
import { fma, fromBits, toBits } from "../reference/ordered_arithmetic.ts";
import { KernelBench } from "./kernel_fixture.ts";

const relaxed = await KernelBench.open("relaxed");
const emulated = await KernelBench.open("emulated", 20);

/** Every `step`-th f32 between two of the same sign, in order of their bit patterns; a multiple of 4 of them. */
function f32Between(first: number, last: number, step: number): Float32Array {
  const [low, high] = [toBits(first), toBits(last)].sort((a, b) => a - b) as [number, number];
  const count = Math.floor(((high - low) / step + 1) / 4) * 4;
  return new Float32Array(Uint32Array.from({ length: count }, (_, i) => low + i * step).buffer);
}

/** Applies a kernel to a copy of `xs` in its memory. */
function apply(
  bench: typeof relaxed,
  xs: Float32Array,
  kernel: "expInPlace" | "logInPlace" | "fmaInPlace",
  count = xs.length,
): Float32Array {
  bench.reset();
  const room = bench.take(xs.length);
  room.set(xs);
  bench.kernels[kernel](room.byteOffset, count);
  return room.slice(0, count);
}

function applyGelu(xs: Float32Array): { values: Float32Array; derivatives: Float32Array } {
  relaxed.reset();
  const [values, derivatives] = [relaxed.take(xs.length), relaxed.take(xs.length)];
  values.set(xs);
  relaxed.kernels.gelu(values.byteOffset, derivatives.byteOffset, xs.length);
  return { values: values.slice(), derivatives: derivatives.slice() };
}

function assertSameBits(actual: ArrayLike<number>, xs: Float32Array, expected: (x: number) => number): void {
  xs.forEach((x, i) => assert(Object.is(actual[i], expected(x)), `at ${x}: ${actual[i]}, expected ${expected(x)}`));
}

/** Largest of `error(x, i)`. */
function worst(xs: Float32Array, error: (x: number, index: number) => number): number {
  return xs.reduce((largest, x, i) => Math.max(largest, error(x, i)), 0);
}

Deno.test("exp has a relative error below 2e-7 from −87 to −2^−126", () => {
  const xs = f32Between(-(2 ** -126), -87, 997);
  const actual = apply(relaxed, xs, "expInPlace");
  const error = worst(xs, (x, i) => Math.abs((actual[i] ?? NaN) / exp64(x) - 1));
  assert(error < 2e-7, `largest relative error ${error}`);
  assert(error > 3e-8, "f32 cannot be that good: nothing was compared");
});

Deno.test("exp equals the reference bit for bit, also where it ends and for what is not finite", () => {
  const xs = f32Between(-1e-3, -90, 1999);
  assertSameBits(apply(relaxed, xs, "expInPlace"), xs, exp);
  const below = fromBits(toBits(-87) + 1);
  const special = Float32Array.of(0, -0, -87, below, -1e30, -Infinity, -(2 ** -149), -103);
  assert.deepEqual([...apply(relaxed, special, "expInPlace")], [1, 1, exp(-87), 0, 0, 0, 1, 0]);
  assert(exp(-87) > 0);
  assert(Number.isNaN(apply(relaxed, new Float32Array(4).fill(NaN), "expInPlace")[0]));
});

Deno.test("log has a relative error below 2e-7 from 1 to the largest f32, and equals the reference bit for bit", () => {
  const xs = f32Between(fromBits(0x3f800001), fromBits(0x7f7fffff), 4999);
  const actual = apply(relaxed, xs, "logInPlace");
  const error = worst(xs, (x, i) => Math.abs((actual[i] ?? NaN) / log64(x) - 1));
  assert(error < 2e-7, `largest relative error ${error}`);
  assertSameBits(actual, xs, log);
  const near = f32Between(1, 2, 499);
  assertSameBits(apply(relaxed, near, "logInPlace"), near, log);
  assert.equal(log(1), 0);
});

Deno.test("log passes on what is not finite", () => {
  const [infinite, none] = apply(relaxed, Float32Array.of(Infinity, NaN, 1, 1), "logInPlace");
  assert.equal(infinite, Infinity);
  assert(Number.isNaN(none));
});

for (const sign of [1, -1] as const) {
  const side = sign > 0 ? "positive" : "negative";
  Deno.test(`gelu() and its derivative keep to the normal distribution for ${side} x`, () => {
    const xs = f32Between(sign * 2 ** -20, sign * 13, 99_999);
    const { values, derivatives } = applyGelu(xs);
    let relative = 0, absolute = 0;
    xs.forEach((x, i) => {
      const { density, distribution } = preciseNormal(x);
      const phi = toNumber(distribution);
      relative = Math.max(relative, Math.abs((values[i] ?? NaN) / (x * phi) - 1));
      absolute = Math.max(absolute, Math.abs((derivatives[i] ?? NaN) - (phi + x * toNumber(density))));
    });
    // Left of zero Φ(x) is small, and the rounding of x² enters its exponent.
    assert(relative < (sign > 0 ? 4e-7 : 6e-6), `largest relative error of the value: ${relative}`);
    assert(absolute < 3e-7, `largest absolute error of the derivative: ${absolute}`);
  });
}

Deno.test("gelu() equals the reference bit for bit from subnormal numbers to the largest", () => {
  for (const sign of [1, -1]) {
    const xs = f32Between(sign * 2 ** -149, sign * fromBits(0x7f7fffff), 49_999);
    const { values, derivatives } = applyGelu(xs);
    assertSameBits(values, xs, (x) => gelu(x).value);
    assertSameBits(derivatives, xs, (x) => gelu(x).derivative);
  }
});

Deno.test("geluForward() equals gelu() bit for bit", () => {
  const xs = Float32Array.of(...f32Between(0.001, 14, 99_999), ...f32Between(-0.001, -14, 99_999));
  const { values } = applyGelu(xs);
  relaxed.reset();
  const room = relaxed.take(xs.length);
  room.set(xs);
  relaxed.kernels.geluForward(room.byteOffset, xs.length);
  assert.deepEqual(room.slice(), values);
});

for (const [name, bench] of [["relaxed", relaxed], ["emulated", emulated]] as const) {
  Deno.test(`fma rounds once for any three f32 when it is ${name}`, () => {
    assert(fmaIsFused(bench.kernels));
    const word = fc.oneof(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.tuple(fc.integer({ min: -4097, max: 4097 }), fc.integer({ min: -26, max: 2 })).map(([n, e]) =>
        toBits(n * 2 ** e)
      ),
      fc.constantFrom(0, 0x80000000, 1, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x3f800000, 0x3fc00000),
    );
    const operands = fc.array(word, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(operands, (words) => {
        const xs = new Float32Array(Uint32Array.from(words).buffer);
        apply(bench, xs, "fmaInPlace", 4).forEach((actual, i) => {
          const [a, b, c] = [xs[i] ?? NaN, xs[i + 4] ?? NaN, xs[i + 8] ?? NaN];
          assert(Object.is(actual, fma(a, b, c)), `fma(${a}, ${b}, ${c}) is ${actual}, expected ${fma(a, b, c)}`);
        });
      }),
      { numRuns: 5000 },
    );
  });
}

Deno.test("fmaIsFused() sees a multiply-add that rounds twice", () => {
  const twice = (a: number, b: number, c: number) => Math.fround(Math.fround(a * b) + c);
  assert.equal(fmaIsFused({ fmaProbe: twice }), false);
  assert.equal(fmaIsFused({ fmaProbe: fma }), true);
});
