import assert from "node:assert/strict";
import { cos, exp, log, sin } from "../../src/arithmetic/elementary.ts";
import { philox } from "../../src/arithmetic/philox.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import {
  errorInUlps,
  PI,
  type Precise,
  preciseExp,
  preciseLog,
  preciseSin,
  toFixed,
  toNumber,
} from "./high_precision.ts";

const SAMPLES = 3000;

/** Uniform doubles in [low, high), always the same. */
function uniform(low: number, high: number, stream: number): number[] {
  const words = new Uint32Array(4);
  return Array.from({ length: SAMPLES }, (_, i) => {
    philox([0, stream], [i, 0, 0, 0], words);
    return low + (high - low) * ((words[0] ?? 0) + 0.5) / 4294967296;
  });
}

function assertAccurate(
  xs: readonly number[],
  compute: (x: number) => number,
  reference: (x: number) => Precise,
  limit: number,
): void {
  for (const x of xs) {
    const error = errorInUlps(compute(x), reference(x));
    assert(error < limit, `at ${x}: ${compute(x)} is off by ${error} units in the last place`);
  }
}

Deno.test("high precision references agree with published digits", () => {
  // π, e, ln 10 and sin 1 to 16 digits
  assert.equal(toNumber({ fixed: PI, exponent: 0 }), 3.141592653589793);
  assert.equal(toNumber(preciseExp(toFixed(1))), 2.718281828459045);
  assert.equal(toNumber(preciseLog(10)), 2.302585092994046);
  assert.equal(toNumber(preciseSin(1)), 0.8414709848078965);
});

Deno.test("exp() is within 1.5 units in the last place from −708 to 709", () => {
  const reference = (x: number) => preciseExp(toFixed(x));
  assertAccurate([...uniform(-708, 709, 1), -708, 709], exp, reference, 1.5);
  assertAccurate(uniform(-1, 1, 2), exp, reference, 1.5);
});

Deno.test("log() is within 2 units in the last place of positive doubles", () => {
  assertAccurate(uniform(-700, 700, 3).map(exp), log, preciseLog, 2);
  assertAccurate(uniform(0.5, 2, 4), log, preciseLog, 2);
  assertAccurate(
    uniform(-0.5, 0.5, 5).map((x, i) => 1 + x * 2 ** -(i % 45)).filter((x) => x !== 1),
    log,
    preciseLog,
    2,
  );
});

for (const [name, compute, quarters] of [["sin", (x: number) => sin(x), 0], ["cos", cos, 1]] as const) {
  Deno.test(`${name}() is within 2.5 units in the last place up to ±10^6`, () => {
    const reference = (x: number) => preciseSin(x, quarters);
    assertAccurate(uniform(-10, 10, 6), compute, reference, 2);
    assertAccurate(uniform(-1e6, 1e6, 7), compute, reference, 2.5);
  });

  Deno.test(`${name}() is within 1 unit in the last place beside multiples of π/2, where it nearly vanishes`, () => {
    const multiples = uniform(1, 636619, 8).map((n) => Math.floor(n) * (Math.PI / 2));
    assertAccurate(multiples, compute, (x) => preciseSin(x, quarters), 1);
  });
}

Deno.test("exp(), log(), sin() and cos() are exact where the result is", () => {
  assert.deepEqual([exp(0), exp(-0), log(1), sin(0), cos(0), cos(-0)], [1, 1, 0, 0, 1, 1]);
  assert.deepEqual([exp(-708.1), exp(-Infinity), exp(709.1), exp(Infinity)], [0, 0, Infinity, Infinity]);
  assert.deepEqual([log(0), log(Infinity), log(2 ** 40) / 40], [-Infinity, Infinity, log(2)]);
});

Deno.test("exp() and log() give NaN when they have no value", () => {
  assert.deepEqual([exp(NaN), log(NaN), log(-1), log(-Infinity)], [NaN, NaN, NaN, NaN]);
});

Deno.test("sin() and cos() refuse angles that the reduction does not cover", () => {
  for (const angle of [1.1e6, -1.1e6, Infinity, NaN]) {
    assert.throws(() => sin(angle), RangeError);
    assert.throws(() => cos(angle), RangeError);
  }
});

Deno.test("sin() is odd and cos() even to the bit", () => {
  for (const x of uniform(0, 1000, 9)) {
    assert.equal(sin(-x), -sin(x));
    assert.equal(cos(-x), cos(x));
  }
});

Deno.test("exp(), log(), sin() and cos() keep the bits that ordered-f32/1 pins", () => {
  const values = Float64Array.from(
    uniform(0, 1, 10).flatMap((u) => [exp(-700 + 1400 * u), log(1e-6 + 1e6 * u), sin(4096 * u), cos(4096 * u)]),
  );
  assert.equal(
    sha256(new Uint8Array(values.buffer)),
    "ab5865d838ff9f518b7a6e02f5740c9077c817f03f42cf8f96ecdb5e781ef2bc",
  );
});
