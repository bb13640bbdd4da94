/** The tests that every engine must pass. A new engine calls `engineContract` from a test file of its own. */
import assert from "node:assert/strict";
import { chooseEngine, type EngineName } from "../../../src/engine/catalogue.ts";
import type { Engine, Session, SessionOptions } from "../../../src/engine/engine.ts";
import { LEARNING_RATE, loadWeights, randomTokens, randomWeights, stateOf } from "../fixture.ts";
import { slicesOf, stepTogether } from "./divided.ts";
import {
  batch,
  fingerprint,
  midTraining,
  MODEL,
  restore,
  save,
  SEQUENCES,
  train,
  TRAINING,
  trainReference,
} from "./training.ts";

/** How an engine is put to the contract. */
export interface ContractOptions {
  /** after the engine's name, where one engine is put to it in several ways */
  readonly variant?: string;
  /** whether what the engine needs is missing on this machine */
  readonly ignore?: boolean;
  /** relative error that losses, norms and logits may have beside the reference, below `machine_to_machine` */
  readonly tolerance?: number;
}

/** Weights and moments after the contract's three steps: what every engine of ordered arithmetic must find. */
const GOLDEN = {
  arithmetic: "ordered-f32/1",
  weights: "887211b86db936511507eca6b9c7b562457e7006371de17b64d943356dad7a0f",
  firstMoments: "6376bd954678f1b272a8d96860d4b7bc5d4a3245c1c6e5f2650af4baa6dfeeed",
  secondMoments: "5a131fa6e2ca119f34f991ce115e33c49c8a506ff168fa361b919008147d8af3",
};

/**
 * Registers the tests.
 *
 * @param name as `--engine` has it
 * @param makeEngine starts it; every test starts one and closes it
 */
export function engineContract(
  name: EngineName,
  makeEngine: () => Promise<Engine>,
  { variant, ignore = false, tolerance = 0 }: ContractOptions = {},
): void {
  const { identity, ranks: sharing } = chooseEngine({ engine: name });
  const isRepeatable = identity.level !== "not_guaranteed";
  const title = variant === undefined ? name : `${name} (${variant})`;

  const test = (what: string, use: (engine: Engine) => Promise<void>) =>
    Deno.test({
      name: `${title}: ${what}`,
      ignore,
      fn: async () => {
        const engine = await makeEngine();
        try {
          await use(engine);
        } finally {
          engine.close?.();
        }
      },
    });

  const testSession = (what: string, use: (session: Session, engine: Engine) => Promise<void>) =>
    test(what, (engine) => withSession(engine, TRAINING, (session) => use(session, engine)));

  /** The same bits where the engine promises that, else the same but for rounding. */
  const assertSame = (actual: ArrayLike<number>, expected: ArrayLike<number>, what: string) => {
    if (isRepeatable) assert.deepEqual(Array.from(actual), Array.from(expected), what);
    else assertNear(actual, expected, tolerance, what);
  };

  test("describes itself as the catalogue does, in words that are not empty", (engine) => {
    assert.equal(engine.name, name);
    assert.deepEqual({ level: engine.level, arithmetic: engine.arithmetic }, identity);
    const { description, conditions, machine } = engine;
    assert(Object.keys(description).length > 0);
    for (const [member, value] of Object.entries({ ...description, ...conditions, ...machine?.libraries })) {
      assert(typeof value === "string" && value.trim() !== "", `${member} is ${JSON.stringify(value)}`);
    }
    // Bits that depend on nothing besides a run's key may be continued anywhere; all others only where they were begun.
    assert.equal(conditions === undefined, identity.level === "machine_to_machine");
    assert.notEqual(machine?.gpu, "");
    return Promise.resolve();
  });

  test("says the same of itself at every start", async (engine) => {
    const other = await makeEngine();
    try {
      assert.deepEqual(other.description, engine.description);
      assert.deepEqual(other.conditions, engine.conditions);
    } finally {
      other.close?.();
    }
  });

  testSession("memoryBytes() is what a session takes, and no more than the process will", (session, engine) => {
    assert.equal(session.memoryBytes, engine.memoryBytes(TRAINING));
    assert(session.memoryBytes >= 3 * 4 * randomWeights(MODEL).length);
    const peak = engine.peakBytes(TRAINING);
    assert(Number.isFinite(peak) && peak > 0, `${peak}`);
    return Promise.resolve();
  });

  testSession(
    "step() trains: losses and norms are finite, every step updates, and one batch is learnt",
    async (session) => {
      await loadWeights(session, randomWeights(MODEL));
      const losses: number[] = [];
      for (let index = 0; index < 8; index++) {
        const { loss, gradientNorm, outcome } = await session.step(batch(0), LEARNING_RATE, index);
        assert(Number.isFinite(loss) && gradientNorm > 0 && Number.isFinite(gradientNorm), `${loss}, ${gradientNorm}`);
        assert.deepEqual([Math.fround(loss), Math.fround(gradientNorm)], [loss, gradientNorm]);
        assert.equal(outcome, "updated");
        losses.push(loss);
      }
      assert(losses.at(-1)! < losses[0]! - 0.1, losses.join(", "));
    },
  );

  if (identity.level === "machine_to_machine") {
    testSession("step() has the bits of docs/arithmetic.md, and its golden digests", async (session) => {
      await loadWeights(session, randomWeights(MODEL));
      const expected = trainReference();
      assert.deepEqual(await train(session), expected.results);
      const found = fingerprint(await save(session));
      assert.deepEqual(found, fingerprint(expected.state));
      const { arithmetic, ...digests } = GOLDEN;
      assert.equal(identity.arithmetic, arithmetic);
      assert.deepEqual(found, digests);
    });
  } else {
    testSession("step() agrees with docs/arithmetic.md but for rounding", async (session) => {
      await loadWeights(session, randomWeights(MODEL));
      const expected = trainReference();
      const results = await train(session);
      for (const number of ["loss", "gradientNorm"] as const) {
        assertNear(results.map((result) => result[number]), expected.results.map((r) => r[number]), tolerance, number);
      }
    });
  }

  if (isRepeatable) {
    testSession("a training has the same bits in another session of another start", async (session) => {
      const run = async (session: Session) => {
        await loadWeights(session, randomWeights(MODEL));
        return { results: await train(session), state: fingerprint(await save(session)) };
      };
      const expected = await run(session);
      const other = await makeEngine();
      try {
        await withSession(other, TRAINING, async (session) => assert.deepEqual(await run(session), expected));
      } finally {
        other.close?.();
      }
    });

    test("micro-batches of any number of blocks give the same bits", async (engine) => {
      const run = (microBatchBlocks: number) =>
        withSession(engine, { ...TRAINING, microBatchBlocks }, async (session) => {
          await loadWeights(session, randomWeights(MODEL));
          return { results: await train(session), state: fingerprint(await save(session)) };
        });
      const expected = await run(1);
      for (const blocks of [2, 4]) assert.deepEqual(await run(blocks), expected);
    });
  }

  testSession("a new session is all zeros, and so is what writeState() fills", async (session) => {
    const isZero = (vector: Float32Array) => vector.every((value) => Object.is(value, 0));
    const fresh = await save(session);
    for (const vector of [fresh.weights, fresh.firstMoments, fresh.secondMoments]) assert(isZero(vector));
    await restore(session, midTraining());
    await session.writeState(({ weights, firstMoments, secondMoments }) => {
      for (const vector of [weights, firstMoments, secondMoments]) assert(isZero(vector));
    });
    assert.deepEqual(fingerprint(await save(session)), fingerprint(fresh));
  });

  testSession("the state that is read is the one that was written, to the bit", async (session) => {
    const state = midTraining();
    state.weights.set([-0, 2 ** -126, -(2 ** 100)]);
    state.secondMoments.set([2 ** -149, 2 ** -130, 0]);
    await restore(session, state);
    const { engineState: _, ...vectors } = fingerprint(await save(session));
    assert.deepEqual(vectors, fingerprint(state));
  });

  testSession("a step has the same outcome after a state is saved and restored", async (session, engine) => {
    await restore(session, midTraining());
    await train(session, 0, 2);
    const saved = await save(session);
    const [expected] = await train(session, 2, 3);
    const after = await save(session);
    const check = async (session: Session) => {
      await restore(session, saved);
      assert.deepEqual(fingerprint(await save(session)), fingerprint(saved));
      const [actual] = await train(session, 2, 3);
      assertSame([actual!.loss, actual!.gradientNorm], [expected!.loss, expected!.gradientNorm], "loss and norm");
      assertSame((await save(session)).weights, after.weights, "weights");
    };
    await check(session);
    await withSession(engine, TRAINING, check);
  });

  testSession(
    "writeState() passes on an error of what fills it, and the session can be filled again",
    async (session) => {
      const error = new Error("the file ends early");
      await assert.rejects(session.writeState(() => Promise.reject(error)), error);
      await restore(session, midTraining());
      assert.equal((await train(session, 0, 1))[0]?.outcome, "updated");
    },
  );

  testSession("evaluate(), logits() and gradient() change no state", async (session) => {
    await restore(session, midTraining());
    await train(session, 0, 1);
    const before = fingerprint(await save(session));
    await session.evaluate(randomTokens(MODEL, 2 * SEQUENCES + 1, 9));
    await session.logits(batch(0).subarray(0, MODEL.sequenceLength));
    await session.gradient(batch(1));
    assert.deepEqual(fingerprint(await save(session)), before);
  });

  testSession("evaluate() gives each window its own loss, however many are evaluated at once", async (session) => {
    await loadWeights(session, randomWeights(MODEL));
    const width = MODEL.sequenceLength + 1;
    const windows = 2 * SEQUENCES + 1;
    const tokens = randomTokens(MODEL, windows, 9);
    const all = await session.evaluate(tokens);
    assert.equal(all.length, windows);
    for (const count of [1, 2, SEQUENCES + 1]) {
      const some = await session.evaluate(tokens.slice(0, count * width));
      assertSame(some, all.subarray(0, count), `${count} windows`);
    }
    assertSame(await session.evaluate(tokens.slice(-width)), all.subarray(-1), "the last window");
    assert.equal((await session.evaluate(new Uint16Array())).length, 0);
  });

  test("a step in pieces has the bits of step(), whoever computes and owns which", async (engine) => {
    const options = { ...TRAINING, batchSequences: 7 };
    const windowTokens = MODEL.sequenceLength + 1;
    const tokens = (index: number) => randomTokens(MODEL, options.batchSequences, index + 1);
    await withSession(engine, options, async (whole) => {
      assert.equal(whole.divided !== undefined, sharing !== undefined, "as its definition says");
      if (whole.divided === undefined) return;
      assert.equal(whole.divided.unitSequences, (sharing?.unitBlocks ?? 0) * options.gradientBlockSequences);
      assert.equal(whole.divided.units, Math.ceil(options.batchSequences / whole.divided.unitSequences));
      await restore(whole, midTraining());
      const expected = [];
      for (let index = 0; index < 2; index++) expected.push(await whole.step(tokens(index), LEARNING_RATE, index));
      const state = await save(whole);
      for (const ranks of [1, 2, 3]) {
        const sessions: Session[] = [];
        try {
          for (let rank = 0; rank < ranks; rank++) sessions.push(await engine.open(options));
          for (const session of sessions) await restore(session, midTraining());
          for (let index = 0; index < 2; index++) {
            const result = await stepTogether(sessions, tokens(index), windowTokens, LEARNING_RATE, index);
            assert.deepEqual(result, expected[index], `${ranks} ranks, step ${index}`);
          }
          const slices = slicesOf(whole.divided.chunkOffsets.length - 1, ranks);
          for (const [rank, session] of sessions.entries()) {
            const found = await save(session);
            assert.deepEqual(found.weights, state.weights);
            const [from, to] = [slices[rank]?.first, slices[rank]?.end].map((at) =>
              whole.divided?.chunkOffsets[at ?? 0]
            );
            assert.deepEqual(found.firstMoments.subarray(from, to), state.firstMoments.subarray(from, to));
            assert.deepEqual(found.secondMoments.subarray(from, to), state.secondMoments.subarray(from, to));
            assert.deepEqual(found.engineState, state.engineState);
          }
        } finally {
          for (const session of sessions) session.close();
        }
      }
    });
  });

  testSession("evaluate(), logits(), gradient() and step() agree with each other", async (session) => {
    await loadWeights(session, randomWeights(MODEL));
    const tokens = batch(0);
    const { sequenceLength } = MODEL;
    const losses = await session.evaluate(tokens);
    const logits = await session.logits(tokens.subarray(0, sequenceLength));
    const { loss, gradient } = await session.gradient(tokens);
    const near = Math.max(tolerance, 1e-5);
    assertNear([crossEntropy(logits, tokens.subarray(1, sequenceLength + 1))], [losses[0]!], near, "loss by logits");
    const mean = losses.reduce((sum, value) => sum + value, 0) / (SEQUENCES * sequenceLength);
    assertNear([mean], [loss], near, "loss by windows");
    const result = await session.step(tokens, LEARNING_RATE, 0);
    assertSame([result.loss], [loss], "loss of the step");
    assertNear([Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0))], [result.gradientNorm], near, "norm");
  });

  test("a session for inference evaluates as one for training does", async (engine) => {
    const evaluate = (options: SessionOptions) =>
      withSession(engine, options, async (session) => {
        await loadWeights(session, randomWeights(MODEL));
        return await session.evaluate(batch(0));
      });
    assertSame(await evaluate({ ...TRAINING, inferenceOnly: true }), await evaluate(TRAINING), "losses");
  });

  testSession("batches of another shape and tokens outside the vocabulary are refused by name", async (session) => {
    await restore(session, midTraining());
    const before = fingerprint(await save(session));
    const { sequenceLength: length, vocabularySize } = MODEL;
    const size = SEQUENCES * (length + 1);
    const refused = (call: Promise<unknown>, message: string) => assert.rejects(call, { name: "RangeError", message });
    for (const wrong of [0, size - 1, size + 1, 2 * size]) {
      const message = `A batch has ${size} tokens, not ${wrong}`;
      await refused(session.step(new Uint16Array(wrong), LEARNING_RATE, 0), message);
      await refused(session.gradient(new Uint16Array(wrong)), message);
    }
    const windows = `${length + 2} tokens are not whole windows of ${length + 1}`;
    await refused(session.evaluate(new Uint16Array(length + 2)), windows);
    await refused(session.logits(new Uint16Array(length + 1)), `A window has ${length} tokens, not ${length + 1}`);
    const bad = batch(0);
    bad[3] = vocabularySize;
    const outside = `Token ${vocabularySize} is outside the vocabulary of ${vocabularySize}`;
    await refused(session.step(bad, LEARNING_RATE, 0), outside);
    await refused(session.gradient(bad), outside);
    await refused(session.evaluate(bad), outside);
    await refused(session.logits(bad.subarray(0, length)), outside);
    assert.deepEqual(fingerprint(await save(session)), before);
    assert.equal((await train(session, 0, 1))[0]?.outcome, "updated");
  });

  test("shapes that an engine cannot hold are refused before memory is taken", async (engine) => {
    const models: Partial<SessionOptions["model"]>[] = [
      { layers: 0 },
      { layers: 1.5 },
      { heads: 3 },
      { sequenceLength: 12 },
      { vocabularySize: 65544 },
      { rotaryFraction: NaN },
    ];
    const options: SessionOptions[] = [
      ...models.map((change) => ({ ...TRAINING, model: { ...MODEL, ...change } })),
      { ...TRAINING, batchSequences: 0 },
      { ...TRAINING, batchSequences: 3, gradientBlockSequences: 2 },
    ];
    for (const option of options) {
      assert.throws(() => engine.memoryBytes(option), RangeError);
      await assert.rejects(async () => await engine.open(option), RangeError);
    }
    // What a hostile manifest may ask for is only counted, however large; if it is more than can be held, it is refused.
    const start = performance.now();
    try {
      const bytes = engine.memoryBytes({ ...TRAINING, model: { ...MODEL, layers: 2 ** 20, hiddenSize: 2 ** 20 } });
      assert(bytes > 2 ** 40);
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
    assert(performance.now() - start < 2000);
  });

  testSession("a step that diverges updates nothing, and training goes on from a finite state", async (session) => {
    const state = stateOf(randomWeights(MODEL));
    state.weights[state.weights.length - 1] = NaN; // in the output head, so in every logit of one word
    await restore(session, state);
    const before = fingerprint(await save(session));
    const { outcome } = await session.step(batch(0), LEARNING_RATE, 0);
    assert.notEqual(outcome, "updated");
    const vectors = ({ engineState: _, ...vectors }: Record<string, string>) => vectors;
    assert.deepEqual(vectors(fingerprint(await save(session))), vectors(before));
    await restore(session, midTraining());
    assert.equal((await train(session, 0, 1))[0]?.outcome, "updated");
  });

  testSession("calls that overlap are refused and do not disturb the one that runs", async (session) => {
    await restore(session, midTraining());
    const [expected] = await train(session, 0, 1);
    await restore(session, midTraining());
    const running = session.step(batch(0), LEARNING_RATE, 0);
    const overlap = { message: "Calls of a session must not overlap" };
    await Promise.all([
      assert.rejects(session.step(batch(1), LEARNING_RATE, 0), overlap),
      assert.rejects(session.evaluate(batch(1)), overlap),
      assert.rejects(session.readState(), overlap),
      assert.rejects(session.writeState(() => {}), overlap),
    ]);
    const { loss, gradientNorm } = await running;
    assertSame([loss, gradientNorm], [expected!.loss, expected!.gradientNorm], "loss and norm");
  });

  testSession("sessions side by side do not touch each other's states", async (session, engine) => {
    await restore(session, midTraining());
    const before = fingerprint(await save(session));
    await withSession(engine, TRAINING, async (other) => {
      await loadWeights(other, randomWeights(MODEL));
      await train(other);
    });
    assert.deepEqual(fingerprint(await save(session)), before);
  });

  test("close() ends a session: later calls are refused, a second close() does nothing, another can be opened", async (engine) => {
    for (let round = 0; round < 3; round++) {
      const session = await engine.open(TRAINING);
      await loadWeights(session, randomWeights(MODEL));
      session.close();
      session.close();
      const closed = { message: "The session is closed" };
      await assert.rejects(session.step(batch(0), LEARNING_RATE, 0), closed);
      await assert.rejects(session.evaluate(batch(0)), closed);
      await assert.rejects(session.readState(), closed);
      await assert.rejects(session.writeState(() => {}), closed);
    }
  });
}

async function withSession<T>(
  engine: Engine,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await engine.open(options);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** ‖actual − expected‖ ≤ tolerance · ‖expected‖ */
function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  let difference = 0, norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  const error = Math.sqrt(difference / norm);
  assert(error <= tolerance, `${what}: relative error ${error}`);
}

/** Sum of −log p(target) over positions, in doubles; logits: (T, V). */
function crossEntropy(logits: Float32Array, targets: Uint16Array): number {
  const vocabulary = logits.length / targets.length;
  let sum = 0;
  targets.forEach((target, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    const largest = Math.max(...row);
    sum += largest + Math.log(row.reduce((total, x) => total + Math.exp(x - largest), 0)) - row[target]!;
  });
  return sum;
}
