/** Cross-entropy of the mixed mode on the stand-in, against float64. */
import assert from "node:assert/strict";
import { Classifier } from "../../../src/engine/cuda/mixed/classifier.ts";
import { encodeTrainingState } from "../../../src/engine/cuda/mixed/training_state.ts";
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

const LENGTH = 20;
const WINDOWS = 2;
const ROWS = LENGTH * WINDOWS;
const SCALE = 2 ** 12;
const WEIGHT = 1 / ROWS;
/** The logits' rows in the pass: not from its first on. */
const RANGE = { first: 12, count: 23 };

const TOKENS = Uint16Array.from(random(WINDOWS * (LENGTH + 1), 4), (x) => Math.floor((x + 1) * 28));

async function compute(bench: Bench, logits: Float32Array<ArrayBuffer>, vocabularySize: number) {
  const model = { ...SMALL_MODEL, sequenceLength: LENGTH, vocabularySize };
  const classifier = new Classifier(bench.device, bench.kernels, model, WINDOWS);
  const tokens = bench.device.allocate(TOKENS.byteLength, "tokens");
  bench.device.upload(tokens, TOKENS);
  const state = bench.device.allocate(32, "state");
  bench.device.upload(state, encodeTrainingState({ scale: SCALE, goodSteps: 0, hysteresis: 2 }));
  const gradient = bench.halves(logits), losses = bench.empty(4 * ROWS), alone = bench.empty(4 * ROWS);
  classifier.loss(bench.halves(logits), { tokens, losses: alone }, RANGE);
  classifier.lossAndGradient(gradient, { tokens, losses }, RANGE, state, WEIGHT);
  return {
    gradient: await bench.readHalves(gradient),
    losses: await bench.readFloats(losses),
    alone: await bench.readFloats(alone),
  };
}

function expected(logits: Float32Array, vocabularySize: number) {
  const gradient = new Float64Array(logits.length), losses = new Float64Array(RANGE.count);
  for (let row = 0; row < RANGE.count; row++) {
    const inPass = RANGE.first + row;
    const target = TOKENS[Math.floor(inPass / LENGTH) * (LENGTH + 1) + inPass % LENGTH + 1]!;
    const z = logits.subarray(row * vocabularySize, (row + 1) * vocabularySize);
    const largest = z.reduce((a, b) => Math.max(a, b));
    const sum = z.reduce((total, value) => total + Math.exp(value - largest), 0);
    losses[row] = Math.log(sum) - (z[target]! - largest);
    z.forEach((value, column) => {
      const p = Math.exp(value - largest) / sum;
      gradient[row * vocabularySize + column] = (p - (column === target ? 1 : 0)) * SCALE * WEIGHT;
    });
  }
  return { gradient, losses };
}

for (const precision of ["fp16", "bf16"] as const) {
  for (const [vocabularySize, size] of [[56, 1], [56, 60], [4104, 4], [8192, 4]] as const) {
    Deno.test({
      name: `Classifier agrees with float64 on ${vocabularySize} logits up to ±${size} in ${precision}`,
      ignore,
      fn: () =>
        withBench({ precision }, async (bench) => {
          const logits = rounded(random(RANGE.count * vocabularySize, 1, size), precision);
          const actual = await compute(bench, logits, vocabularySize);
          const reference = expected(logits, vocabularySize);
          const own = actual.losses.subarray(RANGE.first, RANGE.first + RANGE.count);
          assertClose("losses", own, reference.losses, 2e-6);
          assertClose("gradient", actual.gradient, reference.gradient, unitRoundoff(precision) * 1.01);
          assert.deepEqual(actual.alone, actual.losses);
          assert(actual.losses.every((loss, row) => Number.isNaN(loss) === (row < 12 || row >= 35)));
        }),
    });
  }
}

Deno.test({
  name: "Classifier.lossAndGradient() gives NaN where a logit overflowed",
  ignore,
  fn: () =>
    withBench({ precision: "fp16" }, async (bench) => {
      const logits = random(RANGE.count * 56, 1);
      logits[3 * 56 + 50] = Infinity;
      const { gradient, losses } = await compute(bench, logits, 56);
      const bad = losses.subarray(12, 35).findIndex(Number.isNaN);
      assert.equal(bad, 3);
      assert(gradient.subarray(3 * 56, 4 * 56).some(Number.isNaN));
      assert(gradient.subarray(0, 3 * 56).every(Number.isFinite));
    }),
});

Deno.test({
  name: "Classifier.sumLosses() adds up each window's losses",
  ignore,
  fn: () =>
    withBench({}, async (bench) => {
      const classifier = new Classifier(
        bench.device,
        bench.kernels,
        { ...SMALL_MODEL, sequenceLength: 1100 },
        WINDOWS,
      );
      const losses = random(WINDOWS * 1100, 1).map((x) => x + 5), sums = bench.empty(8);
      classifier.sumLosses(bench.floats(losses), sums);
      const total = (from: number) => losses.subarray(from, from + 1100).reduce((sum, loss) => sum + loss, 0);
      assertClose("sums", await bench.readFloats(sums), [total(0), total(1100)], 1e-6);
    }),
});

Deno.test({
  name: "Classifier gives the same bits whatever the order of threads and blocks",
  ignore,
  fn: async () => {
    const digests = new Set<string>();
    for (const seed of ORDER_SEEDS) {
      await withBench({ seed }, async (bench) => {
        const logits = random(RANGE.count * 4104, 1, 4);
        const { gradient, losses } = await compute(bench, logits, 4104);
        const sums = bench.empty(8);
        const model = { ...SMALL_MODEL, sequenceLength: 700 };
        new Classifier(bench.device, bench.kernels, model, 2).sumLosses(bench.floats(random(1400, 1)), sums);
        digests.add(digestOf(gradient, losses, await bench.readFloats(sums)));
      });
    }
    assert.equal(digests.size, 1);
  },
});
