/** The end of a step of the mixed mode on the stand-in: norm, overflow, loss scale, AdamW. */
import assert from "node:assert/strict";
import { slice } from "../../../src/engine/cuda/driver/view.ts";
import {
  decodeTrainingState,
  encodeTrainingState,
  type FinishedStep,
  initialLossScale,
  type LossScale,
  lossScalingOf,
} from "../../../src/engine/cuda/mixed/training_state.ts";
import { chunkTable, scalarWords, Update, type UpdateViews } from "../../../src/engine/cuda/mixed/update.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { parameterShapes } from "../../../src/model/parameters.ts";
import { OPTIMIZER, SMALL_MODEL } from "../fixture.ts";
import {
  assertClose,
  type Bench,
  digestOf,
  ignoreWithoutCompiler as ignore,
  ORDER_SEEDS,
  random,
  relativeError,
  rounded,
  withBench,
} from "./mixed_fixture.ts";

/** One tensor of more than a chunk, many of less. */
const MODEL = { ...SMALL_MODEL, vocabularySize: 520 };
const SIZE = parameterCount(MODEL);

interface Opened {
  readonly update: Update;
  readonly views: UpdateViews;
  /** weights, moments and the 16-bit weights */
  read(): Promise<[Float32Array, Float32Array, Float32Array, Float32Array]>;
  /** one step's end */
  finish(gradient: Float32Array<ArrayBuffer>, blocks?: number, step?: number): Promise<FinishedStep>;
}

function open(bench: Bench, start?: LossScale): Opened {
  const scaling = lossScalingOf(bench.precision);
  const chunks = chunkTable(MODEL);
  const state = bench.device.allocate(32, "state"), scalars = bench.device.allocate(32, "scalars");
  bench.device.upload(state, encodeTrainingState(start ?? initialLossScale(scaling)));
  const views = {
    weights: bench.floats(random(SIZE, 1)),
    firstMoments: bench.floats(random(SIZE, 2, 1e-3)),
    secondMoments: bench.floats(random(SIZE, 3).map((x) => x * x * 1e-5)),
    roundedWeights: bench.empty(2 * SIZE),
    chunks: bench.words(chunks),
    chunkSums: bench.empty(4 * chunks.length / 3),
    state,
    scalars,
  };
  const update = new Update(bench.device, bench.kernels, MODEL, scaling);
  update.roundWeights(views);
  return {
    update,
    views,
    read: async () => [
      await bench.readFloats(views.weights),
      await bench.readFloats(views.firstMoments),
      await bench.readFloats(views.secondMoments),
      await bench.readHalves(views.roundedWeights),
    ],
    finish: async (gradient, blocks = 1, step = 0) => {
      bench.device.upload(scalars, scalarWords(OPTIMIZER, Math.fround(1e-3), step));
      const view = bench.floats(gradient);
      update.squares(view, update.whole, views);
      update.decide(blocks, OPTIMIZER.gradientClip, views);
      update.apply(view, update.whole, views);
      const bytes = new Uint8Array(32);
      await bench.device.download(slice(state, 0, 32), bytes);
      return decodeTrainingState(bytes);
    },
  };
}

/** Norm and AdamW in float64, from f32 inputs. */
function expected(
  [weights, firstMoments, secondMoments]: readonly Float32Array[],
  gradient: Float32Array,
  divisor: number,
  step: number,
) {
  const { beta1, beta2, epsilon, weightDecay, gradientClip } = OPTIMIZER;
  const mean = Float64Array.from(gradient, (g) => g / divisor);
  const norm = Math.sqrt(mean.reduce((sum, g) => sum + g * g, 0));
  const clip = Math.min(1, gradientClip / (norm + 1e-6));
  const rate = Math.fround(1e-3);
  const decayed = new Uint8Array(SIZE);
  for (const shape of parameterShapes(MODEL)) {
    if (shape.decayed) decayed.fill(1, shape.offset, shape.offset + shape.size);
  }
  const m = mean.map((g, i) => beta1 * firstMoments![i]! + (1 - beta1) * g * clip);
  const v = mean.map((g, i) => beta2 * secondMoments![i]! + (1 - beta2) * (g * clip) ** 2);
  const w = m.map((first, i) => {
    const root = Math.sqrt(v[i]! / (1 - beta2 ** (step + 1)));
    const decay = decayed[i] === 1 ? 1 - rate * weightDecay : 1;
    return weights![i]! * decay - rate * first / (1 - beta1 ** (step + 1)) / (root + epsilon);
  });
  return { norm, w, m, v };
}

for (const precision of ["fp16", "bf16"] as const) {
  for (const [size, step] of [[1e-3, 0], [1, 7]] as const) {
    Deno.test({
      name: `Update agrees with float64 in ${precision}, ${size < 1 ? "unclipped" : "clipped"}, step ${step}`,
      ignore,
      fn: () =>
        withBench({ precision }, async (bench) => {
          const opened = open(bench);
          const before = await opened.read();
          const { scale } = initialLossScale(lossScalingOf(precision));
          const gradient = random(SIZE, 4, size * scale * 3);
          const { outcome, gradientNorm } = await opened.finish(gradient, 3, step);
          const { norm, w, m, v } = expected(before, gradient, 3 * scale, step);
          assert.equal(outcome, "updated");
          assert(Math.abs(gradientNorm / norm - 1) < 1e-6, `norm ${gradientNorm}, expected ${norm}`);
          const [weights, firstMoments, secondMoments, halves] = await opened.read();
          assertClose("m", firstMoments, m, 1e-6);
          assertClose("v", secondMoments, v, 1e-6);
          assertClose("weights", weights, w, 1e-7);
          const moved = weights.map((weight, i) => weight - before[0][i]!);
          assert(relativeError(moved, w.map((weight, i) => weight - before[0][i]!)) < 1e-4);
          assert.deepEqual(halves, rounded(weights, precision));
        }),
    });
  }
}

for (const bad of [NaN, Infinity, -Infinity]) {
  Deno.test({
    name: `Update leaves everything as it was when a gradient holds ${bad}`,
    ignore,
    fn: async () => {
      for (const [precision, outcome] of [["fp16", "skipped"], ["bf16", "diverged"]] as const) {
        await withBench({ precision }, async (bench) => {
          const opened = open(bench);
          const before = await opened.read();
          const gradient = random(SIZE, 4);
          gradient[SIZE - 1] = bad;
          assert.equal((await opened.finish(gradient)).outcome, outcome);
          assert.deepEqual(await opened.read(), before);
        });
      }
    },
  });
}

/**
 * DeepSpeed's rules in the form it keeps them, by the number of the step and that of the last overflow (DeeperSpeed
 * commit 1622ff0, deepspeed/runtime/fp16/loss_scaler.py): for comparison with ours, which counts good steps.
 */
class DeepSpeedRules {
  scale = 2 ** 12;
  hysteresis = 2;
  step = 0;
  lastOverflow = -1;

  /** false if DeepSpeed ends the run */
  next(overflow: boolean): boolean {
    if (overflow) {
      if (this.hysteresis === 1) {
        if (this.scale === 1) return false;
        this.scale = Math.max(this.scale / 2, 1);
      } else this.hysteresis -= 1;
      this.lastOverflow = this.step;
    } else if ((this.step - this.lastOverflow) % 1000 === 0) {
      this.hysteresis = 2;
      this.scale *= 2;
    }
    this.step += 1;
    return true;
  }
}

/** Runs of steps: so many good ones, then so many with overflow. */
const HISTORIES: readonly (readonly [good: number, overflows: number])[][] = [
  [[3, 1], [5, 1], [999, 1], [1000, 2], [2001, 1]],
  [[999, 0], [1, 0], [999, 1], [1000, 1], [1000, 3]],
  [[0, 13], [1000, 1], [10, 1]],
  [[2, 14], [1, 0]],
];

HISTORIES.forEach((history, index) => {
  Deno.test({
    name: `Update moves the loss scale as DeepSpeed does, history ${index + 1}`,
    ignore,
    fn: () =>
      withBench({ precision: "fp16" }, async (bench) => {
        const reference = new DeepSpeedRules();
        let state: LossScale = initialLossScale(lossScalingOf("fp16"));
        const { kernels, device } = bench;
        const view = device.allocate(32, "state");
        const bytes = new Uint8Array(32);
        const good = bench.floats(Float32Array.of(1)), bad = bench.floats(Float32Array.of(NaN));
        device.upload(view, encodeTrainingState(state));
        let goodSteps = 0;
        for (const [goodRun, overflows] of history) {
          for (let i = 0; i < goodRun + overflows; i++) {
            const overflow = i >= goodRun;
            const shape = { grid: 1, block: 32 };
            device.launch(kernels.finish_gradient, shape, overflow ? bad : good, 1, view, 1, 1, 1000, 2, 1);
            const goesOn = reference.next(overflow);
            goodSteps = overflow ? 0 : goodSteps + 1;
            const isLast = i === goodRun + overflows - 1;
            if (!goesOn || isLast || overflow || goodSteps % 1000 < 2) {
              await device.download(view, bytes);
              const { lossScale, outcome } = decodeTrainingState(bytes);
              state = lossScale;
              assert.equal(outcome, !goesOn ? "diverged" : overflow ? "skipped" : "updated");
              assert.deepEqual([state.scale, state.hysteresis], [reference.scale, reference.hysteresis]);
            }
            if (!goesOn) return;
          }
        }
      }),
  });
});

Deno.test({
  name: "Update divides a gradient by the scale it was made with when the scale is doubled",
  ignore,
  fn: () =>
    withBench({ precision: "fp16" }, async (bench) => {
      const opened = open(bench, { scale: 8, goodSteps: 999, hysteresis: 1 });
      const gradient = random(SIZE, 4);
      const { lossScale, gradientNorm } = await opened.finish(gradient);
      assert.deepEqual(lossScale, { scale: 16, goodSteps: 1000, hysteresis: 2 });
      assert(Math.abs(gradientNorm / (Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)) / 8) - 1) < 1e-6);
    }),
});

Deno.test({
  name: "Update uses up the hysteresis before it gives up at the smallest scale",
  ignore,
  fn: () =>
    withBench({ precision: "fp16" }, async (bench) => {
      const opened = open(bench, { scale: 1, goodSteps: 5, hysteresis: 2 });
      const gradient = random(SIZE, 4).fill(NaN, 7, 8);
      const outcomes = [await opened.finish(gradient), await opened.finish(gradient)].map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, ["skipped", "diverged"]);
    }),
});

Deno.test({
  name: "Update.addGradient() adds element by element",
  ignore,
  fn: () =>
    withBench({}, async (bench) => {
      const update = new Update(bench.device, bench.kernels, MODEL, lossScalingOf("bf16"));
      const [a, b] = [random(SIZE, 1), random(SIZE, 2)];
      const target = bench.floats(a);
      update.addGradient(target, bench.floats(b));
      assert.deepEqual(await bench.readFloats(target), a.map((value, i) => value + b[i]!));
    }),
});

Deno.test({
  name: "Update gives the same bits whatever the order of threads and blocks",
  ignore,
  fn: async () => {
    const digests = new Set<string>();
    for (const seed of ORDER_SEEDS) {
      await withBench({ seed }, async (bench) => {
        const opened = open(bench);
        const { gradientNorm } = await opened.finish(random(SIZE, 4), 3, 2);
        digests.add(digestOf(...await opened.read(), Float32Array.of(gradientNorm)));
      });
    }
    assert.equal(digests.size, 1);
  },
});
