/** Sessions of the exact engine when something is wrong: bad input, divergence, failing threads, overlapping calls. */
import assert from "node:assert/strict";
import type { SessionOptions } from "../../src/engine/engine.ts";
import { ExactSession, type SessionCode } from "../../src/engine/exact/session.ts";
import { presetModel } from "../../src/model/presets.ts";
import { step as referenceStep } from "../reference/step.ts";
import { engineContract } from "./contract/engine_contract.ts";
import {
  assertSameState,
  copyState,
  engineWith,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  SMALL_MODEL,
  smallTraining,
  stateOf,
  withSession,
} from "./fixture.ts";

// Here, where the kernels are compiled already: to compile them takes longer than the contract.
engineContract("exact", () => engineWith(), { variant: "WebAssembly" });

const training = smallTraining();
const { model } = training;
const tokens = randomTokens(model, 2);

Deno.test("step() refuses a batch of another length, and the session goes on", async () => {
  await withSession(training, async (session) => {
    for (const length of [0, 49, 51, 100]) {
      await assert.rejects(session.step(new Uint16Array(length), LEARNING_RATE, 0), {
        name: "RangeError",
        message: `A batch has 50 tokens, not ${length}`,
      });
    }
    await assert.rejects(session.gradient(new Uint16Array(49)), RangeError);
    await assert.rejects(session.logits(new Uint16Array(25)), {
      name: "RangeError",
      message: "A window has 24 tokens, not 25",
    });
    await assert.rejects(session.evaluate(new Uint16Array(26)), {
      name: "RangeError",
      message: "26 tokens are not whole windows of 25",
    });
    assert.equal((await session.step(tokens, LEARNING_RATE, 0)).outcome, "updated");
  });
});

Deno.test("step(), gradient(), evaluate() and logits() refuse a token outside the vocabulary", async () => {
  const bad = tokens.slice();
  bad[3] = 64;
  const problem = { name: "RangeError", message: "Token 64 is outside the vocabulary of 64" };
  await withSession(training, async (session) => {
    const before = await copyState(session);
    await assert.rejects(session.step(bad, LEARNING_RATE, 0), problem);
    await assert.rejects(session.gradient(bad), problem);
    await assert.rejects(session.evaluate(bad), problem);
    await assert.rejects(session.logits(bad.subarray(0, 24)), problem);
    assertSameState(await copyState(session), before, model);
  });
});

Deno.test("open() refuses shapes that the kernels do not cover, naming shape, value and unit", async () => {
  const engine = await engineWith();
  const cases: [Partial<SessionOptions["model"]>, RegExp][] = [
    [{ heads: 4 }, /head dimension that is a multiple of 8, but it is 4$/],
    [{ heads: 3 }, /head dimension that is a multiple of 8, but it is 5\.3/],
    [{ heads: 0 }, /"heads" to be a whole number from 1, but it is 0$/],
    [{ layers: 1.5 }, /"layers" to be a whole number from 1, but it is 1\.5$/],
    [{ intermediateSize: 60 }, /intermediate size that is a multiple of 8, but it is 60$/],
    [{ vocabularySize: 50277 }, /vocabulary size that is a multiple of 8, but it is 50277$/],
    [{ vocabularySize: 65544 }, /vocabulary has at most 65536$/],
    [{ sequenceLength: 20 }, /sequence length that is a multiple of 8, but it is 20$/],
    [{ sequenceLength: 0 }, /sequence length that is a multiple of 8, but it is 0$/],
    [{ rotaryFraction: 0.125 }, /rotated dimensions of a head that is a multiple of 2, but it is 1$/],
    [{ rotaryFraction: NaN }, /rotated dimensions of a head that is a multiple of 2, but it is NaN$/],
  ];
  for (const [change, message] of cases) {
    const options = { ...training, model: { ...SMALL_MODEL, ...change } };
    await assert.rejects(engine.open(options), (error) => error instanceof RangeError && message.test(error.message));
    assert.throws(() => engine.memoryBytes(options), RangeError);
  }
});

Deno.test("open() refuses batches that do not divide, and counts that are no whole numbers from 1", async () => {
  const engine = await engineWith();
  await assert.rejects(engine.open({ ...training, batchSequences: 5, gradientBlockSequences: 2 }), {
    name: "RangeError",
    message: "5 sequences do not divide into gradient blocks of 2",
  });
  for (const count of [0, -2, 1.5, NaN]) {
    await assert.rejects(engine.open({ ...training, batchSequences: count }), /"batchSequences"/);
    await assert.rejects(engine.open({ ...training, gradientBlockSequences: count }), /"gradientBlockSequences"/);
    await assert.rejects((await engineWith({ threads: count })).open(training), {
      name: "RangeError",
      message: `The exact engine needs "threads" to be a whole number from 1, but it is ${count}`,
    });
  }
});

Deno.test("open() refuses a model that needs more than WebAssembly addresses, naming the need", async () => {
  const engine = await engineWith({ threads: 2 });
  const options = { ...training, model: presetModel("pythia-410m").config };
  const message = /^The exact engine needs \d+\.\d GiB for this model on 2 threads, but WebAssembly addresses 4 GiB: /;
  await assert.rejects(engine.open(options), (error) => error instanceof RangeError && message.test(error.message));
});

Deno.test("memoryBytes() is what a session takes", async () => {
  for (const threads of [1, 3]) {
    const engine = await engineWith({ threads });
    const session = await engine.open(training);
    assert.equal(session.memoryBytes, engine.memoryBytes(training));
    session.close();
  }
});

Deno.test("step() updates nothing when the loss is not a number", async () => {
  await withSession(training, async (session) => {
    const state = stateOf(randomWeights(model));
    state.weights[100] = NaN;
    state.firstMoments.fill(0.5);
    state.secondMoments.fill(0.25);
    await loadState(session, state);
    const { loss, gradientNorm, outcome } = await session.step(new Uint16Array(50).fill(6), LEARNING_RATE, 3);
    assert.deepEqual([loss, gradientNorm, outcome], [NaN, NaN, "diverged"]);
    assertSameState(await copyState(session), state, model);
  }, { threads: 2 });
});

Deno.test("step() updates nothing when the loss is infinite", async () => {
  await withSession(training, async (session) => {
    const state = stateOf(randomWeights(model, 1, 1e30));
    await loadState(session, state);
    const { loss, outcome } = await session.step(tokens, LEARNING_RATE, 0);
    assert(!Number.isFinite(loss));
    assert.equal(outcome, "diverged");
    assertSameState(await copyState(session), state, model);
  });
});

Deno.test("step() updates nothing when only the gradient's norm is not finite", async () => {
  await withSession(training, async (session) => {
    // An output head 10^22 times larger: the loss stays below the largest f32, the gradient's squares do not.
    const state = stateOf(randomWeights(model));
    const head = state.weights.length - model.vocabularySize * model.hiddenSize;
    state.weights.forEach((weight, i) => state.weights[i] = i < head ? weight : weight * 1e22);
    await loadState(session, state);
    const expected = stateOf(state.weights);
    const result = await session.step(tokens, LEARNING_RATE, 0);
    assert.deepEqual(result, referenceStep(training, expected, tokens, LEARNING_RATE, 0));
    assert(Number.isFinite(result.loss));
    assert.equal(result.gradientNorm, Infinity);
    assert.equal(result.outcome, "diverged");
    assertSameState(await copyState(session), state, model);
  });
});

Deno.test("step() trains on after a step that diverged, when finite weights are put back", async () => {
  await withSession(training, async (session) => {
    const good = stateOf(randomWeights(model));
    await session.writeState(({ weights }) => void weights.fill(NaN));
    assert.equal((await session.step(tokens, LEARNING_RATE, 0)).outcome, "diverged");
    await loadState(session, good);
    const actual = await session.step(tokens, LEARNING_RATE, 0);
    assert.deepEqual(actual, referenceStep(training, good, tokens, LEARNING_RATE, 0));
    assertSameState(await copyState(session), good, model);
  }, { threads: 3 });
});

Deno.test("overlapping calls are refused and do not disturb the one that runs", async () => {
  await withSession(training, async (session) => {
    const expected = stateOf(randomWeights(model));
    await loadState(session, expected);
    const running = session.step(tokens, LEARNING_RATE, 0);
    const overlap = { message: "Calls of a session must not overlap" };
    await Promise.all([
      assert.rejects(session.step(new Uint16Array(50), LEARNING_RATE, 0), overlap),
      assert.rejects(session.gradient(new Uint16Array(50)), overlap),
      assert.rejects(session.evaluate(new Uint16Array(50)), overlap),
      assert.rejects(session.logits(new Uint16Array(24)), overlap),
    ]);
    assert.deepEqual(await running, referenceStep(training, expected, tokens, LEARNING_RATE, 0));
    assertSameState(await copyState(session), expected, model);
    assert.equal((await session.evaluate(tokens)).length, 2);
  }, { threads: 2 });
});

Deno.test("evaluate() lets no call in between its passes", async () => {
  await withSession(smallTraining({ sequenceLength: 8 }), async (session) => {
    await loadWeights(session, randomWeights({ ...SMALL_MODEL, sequenceLength: 8 }));
    const windows = randomTokens({ ...SMALL_MODEL, sequenceLength: 8 }, 200);
    const alone = await session.evaluate(windows);
    let done = false;
    const running = session.evaluate(windows).finally(() => done = true);
    let refused = 0;
    while (!done) {
      await session.logits(new Uint16Array(8)).catch(() => refused++);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert(refused > 0);
    assert.deepEqual(await running, alone);
  }, { threads: 2 });
});

/** WebAssembly in place of the engine's own. */
function codeOf(module: WebAssembly.Module): SessionCode {
  return { code: { kind: "wasm", module, memory: "shared" }, memoryLimit: 2 ** 32 };
}

/** A module without any kernel: threads start, and fail as soon as they have work. */
const NO_KERNELS = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
/** A module that imports a function `a.b`, which nobody gives: threads fail when they start. */
const UNLINKABLE = new WebAssembly.Module(
  Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0),
);

Deno.test("step() rejects when one thread fails while the others wait for it, and so does every later call", async () => {
  const one = smallTraining({}, 1);
  const session = await ExactSession.open(codeOf(NO_KERNELS), one, { threads: 2 });
  try {
    const failure = /^Error: A thread of the exact engine failed: TypeError/;
    await assert.rejects(session.step(randomTokens(model, 1), LEARNING_RATE, 0), failure);
    await assert.rejects(session.evaluate(randomTokens(model, 1)), failure);
  } finally {
    session.close();
  }
});

Deno.test("open() rejects when a thread fails to start", async () => {
  await assert.rejects(
    ExactSession.open(codeOf(UNLINKABLE), training, { threads: 2 }),
    /^Error: A thread of the exact engine failed: TypeError/,
  );
});

Deno.test("close() rejects the call that runs and every later one", async () => {
  const session = await (await engineWith()).open(training);
  const running = session.step(tokens, LEARNING_RATE, 0);
  session.close();
  const closed = { message: "The session is closed" };
  await assert.rejects(running, closed);
  await assert.rejects(session.step(tokens, LEARNING_RATE, 0), closed);
  session.close();
});
