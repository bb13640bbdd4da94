import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { ORDERED_SIGNATURES } from "../../../src/engine/cuda/ordered/kernels.ts";
import { planOrderedMemory } from "../../../src/engine/cuda/ordered/memory.ts";
import type { Engine, SessionOptions, TrainingState } from "../../../src/engine/engine.ts";
import { createExactEngine } from "../../../src/engine/exact/engine.ts";
import { UserError } from "../../../src/errors.ts";
import {
  assertSameState,
  copyState,
  LEARNING_RATE,
  loadWeights,
  randomTokens,
  randomWeights,
  sharedCache,
  smallTraining,
} from "../fixture.ts";
import type { Training } from "../../reference/step.ts";
import { hasCompiler, standInFolder, withCudaEngine } from "./ordered_fixture.ts";

const exact = await createExactEngine({ threads: 1, sha256, cache: sharedCache });

interface Outcome {
  readonly steps: readonly number[];
  readonly evaluated: Float32Array;
  readonly logits: Float32Array;
  readonly gradient: Float32Array;
  readonly state: TrainingState;
}

/** Three steps, and everything else that a session can be asked. */
async function train(engine: Engine, training: Training & Pick<SessionOptions, "microBatchBlocks">): Promise<Outcome> {
  const { model, batchSequences } = training;
  const session = await engine.open(training);
  try {
    await loadWeights(session, randomWeights(model));
    const steps: number[] = [];
    for (let step = 0; step < 3; step++) {
      const tokens = randomTokens(model, batchSequences, step);
      const { loss, gradientNorm, outcome } = await session.step(tokens, LEARNING_RATE, step);
      assert.equal(outcome, "updated");
      steps.push(loss, gradientNorm);
    }
    const window = randomTokens(model, 1, 8).subarray(0, model.sequenceLength);
    return {
      steps,
      evaluated: await session.evaluate(randomTokens(model, 5, 9)),
      logits: await session.logits(window),
      gradient: (await session.gradient(randomTokens(model, batchSequences, 7))).gradient,
      state: await copyState(session),
    };
  } finally {
    session.close();
  }
}

function assertSame(actual: Outcome, expected: Outcome, { model }: Training): void {
  assert.deepEqual(actual.steps, expected.steps);
  assert.deepEqual(actual.evaluated, expected.evaluated);
  assert.deepEqual(actual.logits, expected.logits);
  assert.deepEqual(actual.gradient, expected.gradient);
  assertSameState(actual.state, expected.state, model);
}

const TRAININGS: Readonly<Record<string, Training>> = {
  "one gradient block": smallTraining({}, 2, 2),
  "three blocks of two sequences": smallTraining({}, 6, 2),
  "five blocks": smallTraining({ hiddenSize: 24, heads: 3, intermediateSize: 40 }, 5, 1),
  "heads of 32": smallTraining({ hiddenSize: 64, heads: 2, intermediateSize: 256, vocabularySize: 200 }, 2, 1),
  "rows of several column pieces": smallTraining({ sequenceLength: 136 }, 2, 1),
  "everything rotated": smallTraining({ rotaryFraction: 1 }, 2, 1),
  "one layer": smallTraining({ layers: 1, sequenceLength: 8 }, 3, 1),
};

for (const [what, training] of Object.entries(TRAININGS)) {
  Deno.test({
    name: `OrderedSession gives the exact engine's bits when it trains ${what}`,
    ignore: !hasCompiler,
    fn: () =>
      withCudaEngine(async (cuda) => assertSame(await train(cuda, training), await train(exact, training), training)),
  });
}

Deno.test({
  name: "OrderedSession gives the same bits when micro-batches hold 1, 2, 4 or all gradient blocks",
  ignore: !hasCompiler,
  fn: () =>
    withCudaEngine(async (cuda) => {
      for (const batch of [7, 8]) {
        const training = smallTraining({ sequenceLength: 8 }, batch, 1);
        const expected = await train(exact, training);
        for (const microBatchBlocks of [1, 2, 3, 4, 8, 64]) {
          assertSame(await train(cuda, { ...training, microBatchBlocks }), expected, training);
        }
      }
    }),
});

Deno.test({
  name: "OrderedSession updates nothing when loss or gradient is no finite number",
  ignore: !hasCompiler,
  fn: () =>
    withCudaEngine(async (cuda) => {
      const training = smallTraining();
      for (
        const spoil of [(w: Float32Array) => w[100] = NaN, (w: Float32Array) => w.forEach((x, i) => w[i] = x * 1e30)]
      ) {
        const weights = randomWeights(training.model);
        spoil(weights);
        const results = [];
        for (const engine of [exact, cuda]) {
          const session = await engine.open(training);
          await loadWeights(session, weights);
          const before = await copyState(session);
          results.push(await session.step(randomTokens(training.model, 2), LEARNING_RATE, 0));
          assertSameState(await copyState(session), before, training.model);
          session.close();
        }
        assert.equal(results[0]?.outcome, "diverged");
        assert.deepEqual(results[1], results[0]);
      }
    }),
});

Deno.test({
  name: "OrderedSession refuses wrong tokens, overlapping calls and calls after its end",
  ignore: !hasCompiler,
  fn: () =>
    withCudaEngine(async (cuda) => {
      const { model } = smallTraining();
      const session = await cuda.open(smallTraining());
      await assert.rejects(session.step(new Uint16Array(7), 1e-3, 0), /A batch has 50 tokens, not 7/);
      await assert.rejects(session.step(new Uint16Array(50).fill(64), 1e-3, 0), /outside the vocabulary of 64/);
      await assert.rejects(session.evaluate(new Uint16Array(26)), /not whole windows of 25/);
      const first = session.evaluate(randomTokens(model, 1));
      await assert.rejects(session.evaluate(randomTokens(model, 1)), /must not overlap/);
      await first;
      session.close();
      session.close();
      await assert.rejects(session.readState(), /closed/);
    }),
});

Deno.test({
  name: "OrderedSession names what did not fit, and gives the rest back, when the device is full",
  ignore: !hasCompiler,
  fn: () =>
    withCudaEngine(async (cuda) => {
      const library = Deno.dlopen(`${await standInFolder()}/libcuda.so.1`, {
        stand_in_set_memory: { parameters: ["usize"], result: "void" },
      });
      try {
        library.symbols.stand_in_set_memory(2n ** 20n);
        const training = smallTraining({ vocabularySize: 4096 }, 8, 1);
        const needed = cuda.memoryBytes(training);
        assert(needed > 2 ** 20);
        await assert.rejects(
          async () => await cuda.open(training),
          (error) => error instanceof UserError && error.code === "OUT_OF_DEVICE_MEMORY",
        );
        library.symbols.stand_in_set_memory(BigInt(needed + 2 ** 20));
        (await cuda.open(training)).close();
      } finally {
        library.symbols.stand_in_set_memory(2n ** 33n);
        library.close();
      }
    }),
});

Deno.test("OrderedKernels launches every kernel of the source with the parameters that it declares", async () => {
  const { kernels } = await readKernelUnit("ordered");
  const declared = Object.fromEntries([...kernels].map(([name, { signature }]) => [name, signature]));
  assert.deepEqual({ ...ORDERED_SIGNATURES }, declared);
});

Deno.test("planOrderedMemory() holds whole gradient blocks, and refuses shapes that the kernels do not cover", () => {
  const { microBatchBlocks, microBatchSequences } = planOrderedMemory(smallTraining({}, 6, 2));
  assert.deepEqual([microBatchBlocks, microBatchSequences], [4, 8]);
  assert.throws(() => planOrderedMemory(smallTraining({ sequenceLength: 12 })), /multiple of 8, but it is 12/);
  assert.throws(() => planOrderedMemory(smallTraining({}, 3, 2)), /do not divide into gradient blocks/);
});
