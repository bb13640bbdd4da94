/** Steps that ranks share: the same bits as one session's, whatever the batch, the ranks and their threads. */
import assert from "node:assert/strict";
import type { Engine, Session, StepResult, TrainingState } from "../../src/engine/engine.ts";
import { hasCode } from "../../src/errors.ts";
import {
  assertSameState,
  assertSameVector,
  copyState,
  engineWith,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  SMALL_MODEL,
  smallTraining,
} from "../engine/fixture.ts";
import { withRankedEngine, withRankedSession } from "./in_ranks.ts";

const STEPS = 3;

interface Trained {
  readonly results: readonly StepResult[];
  readonly losses: Float32Array;
  readonly state: TrainingState;
}

/** Some steps, an evaluation, and the state after them. */
async function train(session: Session, batchSequences: number): Promise<Trained> {
  await loadWeights(session, randomWeights(SMALL_MODEL));
  const results: StepResult[] = [];
  for (let step = 0; step < STEPS; step++) {
    const tokens = randomTokens(SMALL_MODEL, batchSequences, step + 1);
    results.push(await session.step(tokens, LEARNING_RATE, step));
  }
  const losses = await session.evaluate(randomTokens(SMALL_MODEL, 7, 99));
  return { results, losses, state: await copyState(session) };
}

async function alone<T>(options: ReturnType<typeof smallTraining>, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await (await engineWith()).open(options);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

async function engines(threads: readonly number[]): Promise<Engine[]> {
  return await Promise.all(threads.map((count) => engineWith({ threads: count })));
}

/** Batches and blocks, and the threads of each rank. */
const CASES: readonly (readonly [number, number, readonly number[]])[] = [
  [2, 1, [1]],
  [2, 1, [1, 1]],
  [7, 1, [1, 2]],
  [6, 2, [1, 1, 1]],
  [11, 1, [2, 1, 1]],
  [12, 2, [1, 1, 1, 1, 1]],
];

for (const [batch, block, threads] of CASES) {
  Deno.test(`${threads.length} ranks train ${batch} sequences in blocks of ${block} as one session does`, async () => {
    const options = smallTraining({}, batch, block);
    const expected = await alone(options, (session) => train(session, batch));
    const actual = await withRankedSession(await engines(threads), options, (session) => train(session, batch));
    assert.deepEqual(actual.results, expected.results);
    assert.deepEqual(actual.losses, expected.losses);
    assertSameState(actual.state, expected.state, SMALL_MODEL);
  });
}

for (const [batch, ranks, perHost] of [[4, 2, 2], [11, 4, 2], [12, 6, 3], [7, 6, 2], [13, 6, 6], [9, 8, 2]] as const) {
  Deno.test(`${ranks} ranks, ${perHost} a host, train ${batch} sequences as one session does`, async () => {
    const options = smallTraining({}, batch, 1);
    const expected = await alone(options, (session) => train(session, batch));
    const own = await engines(Array<number>(ranks).fill(1));
    const actual = await withRankedSession(own, options, (session) => train(session, batch), perHost);
    assert.deepEqual(actual.results, expected.results);
    assert.deepEqual(actual.losses, expected.losses);
    assertSameState(actual.state, expected.state, SMALL_MODEL);
  });
}

Deno.test("a state goes from one number of ranks to another, and on", async () => {
  const options = smallTraining({}, 6, 1);
  const tokens = randomTokens(SMALL_MODEL, 6, 50);
  const goOn = async (session: Session, state: TrainingState) => {
    await loadState(session, state);
    const result = await session.step(tokens, LEARNING_RATE, STEPS);
    return { result, state: await copyState(session) };
  };
  const { state } = await withRankedSession(await engines([1, 1, 1]), options, (session) => train(session, 6));
  const expected = await alone(options, (session) => goOn(session, state));
  const actual = await withRankedSession(await engines([1, 1]), options, (session) => goOn(session, state));
  assert.deepEqual(actual.result, expected.result);
  assertSameState(actual.state, expected.state, SMALL_MODEL);
});

for (const kind of ["l2-sp", "ewc"] as const) {
  Deno.test(`ranks add the penalty ${kind} as one session does`, async () => {
    const options = { ...smallTraining({}, 4, 1), penalty: { kind, strength: 0.5 } };
    const run = async (session: Session) => {
      await loadWeights(session, randomWeights(SMALL_MODEL));
      const { gradient } = await session.gradient(randomTokens(SMALL_MODEL, 4, 3));
      await session.anchor?.(kind === "ewc" ? gradient.map((x) => x * x) : undefined);
      const results: StepResult[] = [];
      for (let step = 0; step < STEPS; step++) {
        results.push(await session.step(randomTokens(SMALL_MODEL, 4, step + 1), LEARNING_RATE, step));
      }
      return { results, state: await copyState(session) };
    };
    const expected = await alone(options, run);
    const actual = await withRankedSession(await engines([1, 1]), options, run);
    assert.deepEqual(actual.results, expected.results);
    assertSameState(actual.state, expected.state, SMALL_MODEL);
  });
}

Deno.test("ranks agree that a step diverged, and leave the weights as they are", async () => {
  const options = smallTraining({}, 4, 1);
  const weights = randomWeights(SMALL_MODEL);
  weights[5] = NaN;
  await withRankedSession(await engines([1, 1, 1]), options, async (session) => {
    await loadWeights(session, weights);
    const { outcome } = await session.step(randomTokens(SMALL_MODEL, 4), LEARNING_RATE, 0);
    assert.equal(outcome, "diverged");
    assertSameVector((await session.readState()).weights, weights, SMALL_MODEL, "weights");
  });
});

Deno.test("sessions of several shapes follow each other, and logits and gradients are those of one session", async () => {
  const tokens = randomTokens(SMALL_MODEL, 1).subarray(0, SMALL_MODEL.sequenceLength);
  await withRankedEngine(await engines([1, 1]), async (engine) => {
    for (const batch of [2, 5]) {
      const options = smallTraining({}, batch, 1);
      const session = await engine.open(options);
      await loadWeights(session, randomWeights(SMALL_MODEL));
      const actual = {
        logits: await session.logits(tokens),
        ...await session.gradient(randomTokens(SMALL_MODEL, batch)),
      };
      const expected = await alone(options, async (other) => {
        await loadWeights(other, randomWeights(SMALL_MODEL));
        return { logits: await other.logits(tokens), ...await other.gradient(randomTokens(SMALL_MODEL, batch)) };
      });
      assert.deepEqual(actual, expected);
      session.close();
    }
    assert.equal(engine.description.ranks, "2");
    assert.equal(engine.description.transport, "this process");
  });
});

Deno.test("more ranks than gradient blocks are refused", async () => {
  await assert.rejects(
    withRankedSession(await engines([1, 1, 1]), smallTraining({}, 4, 2), () => Promise.resolve()),
    (error) => hasCode(error, "TOO_MANY_RANKS") && /3 ranks cannot share a step of 2 units/.test(error.message),
  );
});

Deno.test("engines that cannot share a step are refused, and those that differ are named with both values", async () => {
  const [engine] = await engines([1]);
  assert(engine !== undefined);
  const unable: Engine = {
    ...engine,
    open: async (options) => {
      const session = await engine.open(options);
      return new Proxy(session, {
        get: (target, name) => {
          if (name === "divided") return undefined;
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
  await assert.rejects(
    withRankedSession([unable, unable], smallTraining({}, 2, 1), () => Promise.resolve()),
    (error) => hasCode(error, "NOT_SHAREABLE"),
  );
  const other: Engine = { ...engine, conditions: { driver: "580" } };
  await assert.rejects(
    withRankedEngine([{ ...engine, conditions: { driver: "570" } }, other], () => Promise.resolve()),
    (error) =>
      hasCode(error, "RANKS_DIFFER") &&
      /Ranks 0 and 1 do not agree on the condition "driver": rank 0 has "570", rank 1 has "580"/.test(error.message),
  );
});

Deno.test("weights that arrive otherwise than they left are found out", async () => {
  const [engine] = await engines([1]);
  assert(engine !== undefined);
  const faulty: Engine = {
    ...engine,
    open: async (options) => {
      const session = await engine.open(options);
      const write = session.writeState.bind(session);
      session.writeState = (fill) =>
        write(async (state) => {
          await fill(state);
          state.weights[3] = 1e-3;
        });
      return session;
    },
  };
  await assert.rejects(
    withRankedSession([engine, faulty], smallTraining({}, 2, 1), async (session) => {
      await loadWeights(session, randomWeights(SMALL_MODEL));
    }),
    (error) => hasCode(error, "RANKS_DIFFER") && /digest of the weights: rank 0 has "[0-9a-f]{64}"/.test(error.message),
  );
});
