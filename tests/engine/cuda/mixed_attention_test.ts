/** Flash attention of the mixed mode on the stand-in, forward and backward, against float64. */
import assert from "node:assert/strict";
import { Attention } from "../../../src/engine/cuda/mixed/attention.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { SMALL_MODEL } from "../fixture.ts";
import {
  assertClose,
  type Bench,
  digestOf,
  ignoreWithoutCompiler as ignore,
  ORDER_SEEDS,
  random,
  rounded,
  unitRoundoff,
  withBench,
} from "./mixed_fixture.ts";

const WINDOWS = 2;
const HEADS = 2;

function modelOf(headSize: number, sequenceLength: number): ModelConfig {
  return { ...SMALL_MODEL, heads: HEADS, hiddenSize: HEADS * headSize, sequenceLength };
}

interface Inputs {
  readonly model: ModelConfig;
  /** (rows, heads, 3, d) */
  readonly qkv: Float32Array<ArrayBuffer>;
  /** (rows, heads, d) */
  readonly dOutput: Float32Array<ArrayBuffer>;
}

/** Queries and keys large enough that some probabilities are near 1. */
function inputs(model: ModelConfig, precision: Bench["precision"]): Inputs {
  const rows = WINDOWS * model.sequenceLength, h = model.hiddenSize;
  return {
    model,
    qkv: rounded(random(rows * 3 * h, 1, 3), precision),
    dOutput: rounded(random(rows * h, 2), precision),
  };
}

async function compute(bench: Bench, { model, qkv, dOutput }: Inputs) {
  const rows = WINDOWS * model.sequenceLength, h = model.hiddenSize;
  const attention = new Attention(bench.device, bench.kernels, model, WINDOWS);
  const activations = {
    queryKeyValue: bench.halves(qkv),
    output: bench.empty(2 * rows * h),
    logSums: bench.empty(4 * rows * HEADS),
  };
  attention.forward(activations);
  const gradient = bench.empty(2 * rows * 3 * h);
  attention.backward(activations, bench.halves(dOutput), bench.empty(4 * rows * HEADS), gradient);
  return {
    output: await bench.readHalves(activations.output),
    logSums: await bench.readFloats(activations.logSums),
    gradient: await bench.readHalves(gradient),
  };
}

/** The same in float64. */
function expected({ model, qkv, dOutput }: Inputs) {
  const { sequenceLength: length, hiddenSize: h } = model;
  const d = h / HEADS, scale = 1 / Math.sqrt(d);
  const output = new Float64Array(dOutput.length), gradient = new Float64Array(qkv.length);
  const logSums = new Float64Array(WINDOWS * HEADS * length);
  for (let window = 0; window < WINDOWS; window++) {
    for (let head = 0; head < HEADS; head++) {
      const at = (row: number, part: number) => (window * length + row) * 3 * h + (head * 3 + part) * d;
      const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
        let sum = 0;
        for (let e = 0; e < d; e++) sum += a[i + e]! * b[j + e]!;
        return sum;
      };
      const join = (target: Float64Array, i: number, source: Float32Array, j: number, factor: number) => {
        for (let e = 0; e < d; e++) target[i + e] = target[i + e]! + factor * source[j + e]!;
      };
      for (let row = 0; row < length; row++) {
        const out = (window * length + row) * h + head * d;
        const scores = Array.from({ length: row + 1 }, (_, key) => scale * dot(qkv, at(row, 0), qkv, at(key, 1)));
        const largest = Math.max(...scores);
        const exponentials = scores.map((score) => Math.exp(score - largest));
        const sum = exponentials.reduce((total, e) => total + e, 0);
        logSums[(window * HEADS + head) * length + row] = (largest + Math.log(sum)) * Math.LOG2E;
        const p = exponentials.map((e) => e / sum);
        p.forEach((weight, key) => join(output, out, qkv, at(key, 2), weight));
        const dP = p.map((_, key) => dot(dOutput, out, qkv, at(key, 2)));
        const delta = dP.reduce((total, value, key) => total + value * p[key]!, 0);
        p.forEach((weight, key) => {
          const dScore = weight * (dP[key]! - delta) * scale;
          join(gradient, at(row, 0), qkv, at(key, 1), dScore);
          join(gradient, at(key, 1), qkv, at(row, 0), dScore);
          join(gradient, at(key, 2), dOutput, out, weight);
        });
      }
    }
  }
  return { output, logSums, gradient };
}

/** Queries', keys' or values' part of (rows, heads, 3, d). */
function part(values: ArrayLike<number>, { hiddenSize }: ModelConfig, which: number): number[] {
  const d = hiddenSize / HEADS;
  return Array.from(values).filter((_, i) => Math.floor(i / d) % 3 === which);
}

const CASES = [
  ["bf16", 8, 24],
  ["fp16", 16, 32],
  ["bf16", 16, 70],
  ["bf16", 32, 200],
  ["fp16", 64, 130],
  ["bf16", 64, 257],
  ["bf16", 128, 140],
] as const;

for (const [precision, headSize, length] of CASES) {
  Deno.test({
    name: `Attention agrees with float64 on heads of ${headSize}, ${length} tokens, in ${precision}`,
    ignore,
    fn: () =>
      withBench({ precision, headSize }, async (bench) => {
        const given = inputs(modelOf(headSize, length), precision);
        const actual = await compute(bench, given), reference = expected(given);
        const u = unitRoundoff(precision);
        // Roundings to 16 bits on the way: P and the output; P and dV; the output in delta, dS, and dQ or dK.
        assertClose("output", actual.output, reference.output, 2 * u);
        assertClose("log sums", actual.logSums, reference.logSums, 1e-6);
        ["queries", "keys", "values"].forEach((name, which) => {
          const [own, other] = [actual.gradient, reference.gradient].map((all) => part(all, given.model, which));
          assertClose(`gradient of ${name}`, own!, other!, (which === 2 ? 2 : 3) * u);
        });
      }),
  });
}

for (const [precision, headSize, length] of CASES.filter(([, , length]) => length < 150)) {
  Deno.test({
    name:
      `Attention gives the same bits whatever the order of threads and blocks, heads of ${headSize} in ${precision}`,
    ignore,
    fn: async () => {
      const digests = new Set<string>();
      for (const seed of ORDER_SEEDS) {
        await withBench({ precision, headSize, seed }, async (bench) => {
          const { output, logSums, gradient } = await compute(bench, inputs(modelOf(headSize, length), precision));
          digests.add(digestOf(output, logSums, gradient));
        });
      }
      assert.equal(digests.size, 1);
    },
  });
}

Deno.test({
  name: "Attention passes on what is not finite, within its head and window",
  ignore,
  fn: () =>
    withBench({ precision: "fp16", headSize: 16 }, async (bench) => {
      const given = inputs(modelOf(16, 32), "fp16");
      given.qkv[20 * 3 * 32 + 2 * 16] = Infinity; // a value of row 20, head 0, window 0
      const { output } = await compute(bench, given);
      const isFinite = (row: number, head: number) => Number.isFinite(output[row * 32 + head * 16]);
      assert.deepEqual([20, 31].map((row) => isFinite(row, 0)), [false, false]);
      assert.deepEqual([20, 31].map((row) => isFinite(row, 1)), [true, true]);
      assert.deepEqual([32, 52, 63].map((row) => isFinite(row, 0)), [true, true, true]);
    }),
});
