/** Sessions of the TensorFlow engine: state, micro-batches, bad input, divergence, and memory given back. */
import assert from "node:assert/strict";
import { TensorFlowSession } from "../../../../src/engine/tensorflow/session.ts";
import {
  assertSameState,
  copyState,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
} from "../../fixture.ts";
import { backendNamed, relativeError, SMOKE, trainingOf, withTensorFlow } from "./fixture.ts";

const training = trainingOf(SMOKE);
const tokens = randomTokens(SMOKE, 4);

Deno.test("readState() gives back the bits that writeState() was given", async () => {
  await withTensorFlow(training, async (session) => {
    const state = {
      weights: randomWeights(SMOKE, 1),
      firstMoments: randomWeights(SMOKE, 2),
      secondMoments: randomWeights(SMOKE, 3),
    };
    await loadState(session, state);
    assertSameState(await copyState(session), state, SMOKE);
    await session.writeState((fresh) => assert(fresh.weights.every((weight) => weight === 0)));
    assert((await session.readState()).firstMoments.every((moment) => moment === 0));
  });
});

Deno.test("a state that was read does not change with later steps", async () => {
  await withTensorFlow(training, async (session) => {
    await loadWeights(session, randomWeights(SMOKE));
    const before = await session.readState();
    const copy = before.weights.slice();
    await session.step(tokens, LEARNING_RATE, 0);
    assert.deepEqual(before.weights, copy);
    assert.notDeepEqual((await session.readState()).weights, copy);
  });
});

Deno.test("micro-batches of 1, 2, 3 and all sequences give one gradient, but for rounding", async () => {
  const backend = await backendNamed("wasm");
  const gradients: Float32Array[] = [];
  for (const sequences of [4, 1, 2, 3]) {
    const session = await TensorFlowSession.open(backend, training, { sequences, bytes: 0 });
    await loadWeights(session, randomWeights(SMOKE));
    gradients.push((await session.gradient(tokens)).gradient);
    assert.equal((await session.evaluate(randomTokens(SMOKE, 5))).length, 5);
    session.close();
  }
  const [whole = new Float32Array(), ...parts] = gradients;
  for (const part of parts) assert(relativeError(part, whole) < 1e-6);
});

Deno.test("step() refuses bad batches and tokens, and the session goes on", async () => {
  await withTensorFlow(training, async (session) => {
    await loadWeights(session, randomWeights(SMOKE));
    const before = await copyState(session);
    await assert.rejects(session.step(tokens.subarray(1), LEARNING_RATE, 0), {
      name: "RangeError",
      message: "A batch has 132 tokens, not 131",
    });
    const bad = tokens.slice();
    bad[3] = 256;
    const problem = { name: "RangeError", message: "Token 256 is outside the vocabulary of 256" };
    await assert.rejects(session.step(bad, LEARNING_RATE, 0), problem);
    await assert.rejects(session.gradient(bad), problem);
    await assert.rejects(session.evaluate(bad), problem);
    await assert.rejects(session.logits(bad.subarray(0, 32)), problem);
    assertSameState(await copyState(session), before, SMOKE);
    assert.equal((await session.step(tokens, LEARNING_RATE, 0)).outcome, "updated");
  });
});

Deno.test("step() updates nothing when the loss is not finite", async () => {
  await withTensorFlow(training, async (session) => {
    const weights = randomWeights(SMOKE);
    weights[weights.length - 1] = Infinity; // in the output head, so in every logit of one word
    await loadWeights(session, weights);
    const before = await copyState(session);
    const { loss, outcome } = await session.step(tokens, LEARNING_RATE, 0);
    assert.equal(Number.isFinite(loss), false);
    assert.equal(outcome, "diverged");
    assertSameState(await copyState(session), before, SMOKE);
  });
});

Deno.test("calls of one session must not overlap; those of two sessions take turns, each on its backend", async () => {
  await withTensorFlow(training, async (wasm) => {
    await withTensorFlow(training, async (cpu) => {
      for (const session of [wasm, cpu]) await loadWeights(session, randomWeights(SMOKE));
      const running = [wasm.gradient(tokens), cpu.gradient(tokens)] as const;
      await assert.rejects(wasm.step(tokens, LEARNING_RATE, 0), { message: "Calls of a session must not overlap" });
      const [a, b] = await Promise.all(running);
      assert.notDeepEqual(a.gradient, b.gradient); // other kernels, other roundings
      assert(relativeError(a.gradient, b.gradient) < 1e-5);
    }, "cpu");
  });
});

for (const backend of ["wasm", "cpu"]) {
  Deno.test(`200 steps, evaluations and states leave no tensor behind on ${backend}`, async () => {
    const { tf } = await backendNamed(backend);
    const before = tf.memory().numTensors;
    const model = { ...SMOKE, layers: 1, sequenceLength: 8, vocabularySize: 64 };
    await withTensorFlow(trainingOf(model, 2), async (session) => {
      await loadWeights(session, randomWeights(model));
      const round = async (step: number) => {
        const batch = randomTokens(model, 2, step);
        await session.step(batch, LEARNING_RATE, step);
        await session.evaluate(batch);
        await session.gradient(batch);
        await session.logits(batch.subarray(0, 8));
        await loadState(session, await session.readState());
      };
      await round(0);
      const { numTensors, numBytes } = tf.memory();
      for (let step = 1; step <= 200; step++) {
        await (step % 20 === 0 ? round(step) : session.step(randomTokens(model, 2, step), LEARNING_RATE, step));
      }
      assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [numTensors, numBytes]);
      await assert.rejects(session.step(new Uint16Array(0), LEARNING_RATE, 0), RangeError);
      assert.equal(tf.memory().numTensors, numTensors);
    }, backend);
    await new Promise((resolve) => setTimeout(resolve, 0)); // the close takes its turn
    assert.equal(tf.memory().numTensors, before);
  });
}
