/** What must not change a bit of a training step: threads, micro-batches, kept probabilities, the CPU's instructions. */
import assert from "node:assert/strict";
import type { TrainingState } from "../../src/engine/engine.ts";
import type { ExactEngineOptions } from "../../src/engine/exact/engine.ts";
import type { Training } from "../reference/step.ts";
import {
  assertSameState,
  copyState,
  engineWith,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  smallTraining,
  stateOf,
  withSession,
} from "./fixture.ts";

const STEPS = 2;

interface Outcome {
  readonly state: TrainingState;
  /** loss and norm of every step, and the losses of three windows after them */
  readonly numbers: number[];
}

async function train(
  training: Training,
  options: Partial<ExactEngineOptions> = {},
  microBatchBlocks?: number,
): Promise<Outcome> {
  const { model, batchSequences } = training;
  return await withSession(
    { ...training, microBatchBlocks },
    async (session) => {
      await loadWeights(session, randomWeights(model));
      const numbers: number[] = [];
      for (let index = 0; index < STEPS; index++) {
        const { loss, gradientNorm } = await session.step(
          randomTokens(model, batchSequences, index),
          LEARNING_RATE,
          index,
        );
        numbers.push(loss, gradientNorm);
      }
      numbers.push(...await session.evaluate(randomTokens(model, 3, 9)));
      return { state: await copyState(session), numbers };
    },
    options,
  );
}

function assertSameOutcome(actual: Outcome, expected: Outcome, training: Training): void {
  assert.deepEqual(actual.numbers, expected.numbers);
  assertSameState(actual.state, expected.state, training.model);
}

// Sequences a step and sequences a block: 7 blocks, 3 blocks, 8 blocks.
const BATCHES = [[7, 1], [6, 2], [16, 2]] as const;

for (const [batchSequences, gradientBlockSequences] of BATCHES) {
  const training = smallTraining({}, batchSequences, gradientBlockSequences);
  const blocks = batchSequences / gradientBlockSequences;

  Deno.test(`step() gives the same bits with 1 to 4 threads when a step has ${blocks} blocks`, async () => {
    const expected = await train(training);
    for (const threads of [2, 3, 4]) assertSameOutcome(await train(training, { threads }), expected, training);
  });

  Deno.test(`step() gives the same bits for any micro-batch when a step has ${blocks} blocks`, async () => {
    const expected = await train(training, {}, 1);
    for (const size of [2, 4, 8]) {
      assertSameOutcome(await train(training, { threads: 2 }, size), expected, training);
    }
  });
}

Deno.test("step() gives other bits for other gradient blocks, which are part of the plan", async () => {
  const one = await train(smallTraining({}, 6, 1));
  const two = await train(smallTraining({}, 6, 2));
  assert.notDeepEqual(one.state.weights, two.state.weights);
});

Deno.test("step() gives the same bits whether attention probabilities are kept or computed again", async () => {
  const training = smallTraining({ sequenceLength: 40 }, 3);
  const kept = await train(training, { keepProbabilities: true });
  assertSameOutcome(await train(training, { keepProbabilities: false }), kept, training);
});

Deno.test("step() gives the same bits with emulated fused multiply-adds", async () => {
  const training = smallTraining({ sequenceLength: 40 }, 3);
  const [relaxed, emulated] = await Promise.all([engineWith(), engineWith({ fma: "emulated" })]);
  assert.equal(emulated.description["fused multiply-add"], "emulated");
  assert.notEqual(emulated.description["kernels"], relaxed.description["kernels"]);
  const expected = await train(training);
  assertSameOutcome(await train(training, { fma: "emulated" }), expected, training);
});

Deno.test("step() gives the same bits when a session goes on from another's state", async () => {
  const training = smallTraining({}, 3);
  const { model } = training;
  const step = (index: number) => [randomTokens(model, 3, index), LEARNING_RATE, index] as const;
  const { middle, end } = await withSession(training, async (session) => {
    await loadState(session, stateOf(randomWeights(model)));
    for (const index of [0, 1]) await session.step(...step(index));
    const middle = await copyState(session);
    for (const index of [2, 3]) await session.step(...step(index));
    return { middle, end: await copyState(session) };
  });
  await withSession(training, async (session) => {
    await loadState(session, middle);
    for (const index of [2, 3]) await session.step(...step(index));
    assertSameState(await copyState(session), end, model);
  }, { threads: 2 });
});

Deno.test("step() is not disturbed by evaluations, logits and gradients in between", async () => {
  const training = smallTraining({}, 3);
  const { model } = training;
  const run = (disturbed: boolean) =>
    withSession(training, async (session) => {
      await loadWeights(session, randomWeights(model));
      for (const index of [0, 1, 2]) {
        await session.step(randomTokens(model, 3, index), LEARNING_RATE, index);
        if (!disturbed) continue;
        await session.evaluate(randomTokens(model, 70, 5));
        await session.gradient(randomTokens(model, 3, 6));
        await session.logits(randomTokens(model, 1, 7).subarray(1));
      }
      return await copyState(session);
    }, { threads: 2 });
  assertSameState(await run(true), await run(false), model);
});

Deno.test("the calling thread gives the same bits in a memory that is not shared", async () => {
  const training = smallTraining({}, 6, 2);
  assertSameOutcome(await train(training, { memory: "unshared" }), await train(training, { threads: 2 }), training);
});

Deno.test("a memory that is not shared takes one thread", async () => {
  await assert.rejects(engineWith({ memory: "unshared", threads: 2 }), {
    name: "RangeError",
    message: "2 threads cannot work in a memory that is not shared",
  });
});
