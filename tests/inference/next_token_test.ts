import assert from "node:assert/strict";
import { chooseToken, type SamplingOptions } from "../../src/inference/next_token.ts";

const GREEDY: SamplingOptions = { temperature: 0, topP: 1, seed: 0 };

/** Logits of these probabilities. */
function logitsOf(...probabilities: number[]): Float32Array {
  return Float32Array.from(probabilities, (p) => Math.log(p));
}

/** How often each token is chosen in some draws. */
function frequencies(logits: Float32Array, options: SamplingOptions, draws: number): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let index = 0; index < draws; index++) {
    const token = chooseToken(logits, options, index);
    counts[token] = (counts[token] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

Deno.test("chooseToken() takes the likeliest token at temperature 0, of equal ones the first", () => {
  assert.equal(chooseToken(Float32Array.of(-3, 2, 5, 5, 4), GREEDY, 0), 2);
  assert.equal(chooseToken(Float32Array.of(-3), GREEDY, 7), 0);
});

const DRAWS = 20_000;
/** Five standard deviations of a frequency. */
const TOLERANCE = 5 * Math.sqrt(0.25 / DRAWS);

function assertNear(found: number[], expected: number[]): void {
  expected.forEach((p, i) => assert(Math.abs((found[i] ?? NaN) - p) < (p === 0 ? 1e-9 : TOLERANCE), `${found}`));
}

Deno.test("chooseToken() draws tokens as often as the softmax says", () => {
  const probabilities = [0.1, 0.45, 0.05, 0.4];
  assertNear(frequencies(logitsOf(...probabilities), { temperature: 1, topP: 1, seed: 1 }, DRAWS), probabilities);
});

Deno.test("chooseToken() sharpens and flattens by the temperature", () => {
  const found = frequencies(logitsOf(0.8, 0.2), { temperature: 0.5, topP: 1, seed: 2 }, DRAWS);
  assertNear(found, [0.64 / 0.68, 0.04 / 0.68]);
});

Deno.test("chooseToken() draws from the fewest tokens that have the share of top-p", () => {
  const logits = logitsOf(0.1, 0.5, 0.15, 0.25);
  const draw = (topP: number) => frequencies(logits, { temperature: 1, topP, seed: 3 }, DRAWS);
  assertNear(draw(0.4), [0, 1, 0, 0]);
  assertNear(draw(0.6), [0, 2 / 3, 0, 1 / 3]);
  assertNear(draw(0.8), [0, 5 / 9, 1.5 / 9, 2.5 / 9]);
  assertNear(draw(1), [0.1, 0.5, 0.15, 0.25]);
});

Deno.test("chooseToken() is a function of seed and index", () => {
  const logits = new Float32Array(1000);
  const choose = (seed: number, index: number) => chooseToken(logits, { temperature: 1, topP: 1, seed }, index);
  // Thousandths of the first 53 bits of Philox 4×32-10 at key seed and counter (index, 0, 0, 8), computed in Python.
  assert.deepEqual([choose(0, 0), choose(0, 1), choose(1, 0), choose(2 ** 53 - 1, 5)], [840, 124, 8, 203]);
});

Deno.test("chooseToken() gives no chance to what is too unlikely to have one, and survives large logits", () => {
  assert.equal(chooseToken(Float32Array.of(3e38, -3e38, 0), { temperature: 1, topP: 1, seed: 4 }, 0), 0);
  assert.equal(chooseToken(Float32Array.of(1, 0), { temperature: 1e-300, topP: 1, seed: 4 }, 0), 0);
});

Deno.test("chooseToken() refuses logits of a model that diverged, and options out of range", () => {
  assert.throws(() => chooseToken(Float32Array.of(0, NaN), GREEDY, 0), { message: "The logit of token 1 is NaN" });
  assert.throws(() => chooseToken(Float32Array.of(Infinity), GREEDY, 0), RangeError);
  for (const change of [{ temperature: -1 }, { temperature: NaN }, { topP: 0 }, { topP: 1.1 }]) {
    assert.throws(() => chooseToken(Float32Array.of(0), { ...GREEDY, ...change }, 0), RangeError);
  }
});
