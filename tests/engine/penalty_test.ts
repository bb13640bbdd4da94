/** Penalties against a computation of their own: what a first step of Adam makes of gradient and penalty. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Session, SessionOptions, SessionPenalty } from "../../src/engine/engine.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { parameterCount } from "../../src/model/config.ts";
import { SMALLEST_MODEL } from "../model/smallest_model.ts";
import { kernelCache } from "../reproduce/smoke.ts";

const OPTIONS: SessionOptions = {
  model: SMALLEST_MODEL,
  optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradientClip: 1 },
  batchSequences: 4,
  gradientBlockSequences: 1,
};
const PARAMETERS = parameterCount(SMALLEST_MODEL);
const TOKENS = Uint16Array.from({ length: 4 * 9 }, (_, i) => (i * 5 + (i >> 2)) % 8);
const IMPORTANCE = Float32Array.from({ length: PARAMETERS }, (_, i) => (i % 7) / 8);

async function withSession<T>(
  penalty: SessionPenalty | undefined,
  threads: number,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const engine = await createExactEngine({ threads, sha256, cache: kernelCache });
  const session = await engine.open({ ...OPTIONS, penalty });
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

const fill = (session: Session, seed: number) =>
  session.writeState(({ weights }) => initializeWeights(SMALLEST_MODEL, seed, weights));

/** Weights and first moments after a step from weights 2, anchored at weights 1. */
function stepped(penalty: SessionPenalty, threads: number) {
  return withSession(penalty, threads, async (session) => {
    await fill(session, 1);
    await session.anchor?.(penalty.kind === "ewc" ? IMPORTANCE : undefined);
    const anchor = (await session.readState()).weights.slice();
    await fill(session, 2);
    const weights = (await session.readState()).weights.slice();
    const { gradient } = await session.gradient(TOKENS);
    const result = await session.step(TOKENS, 1e-3, 0);
    const state = await session.readState();
    return { anchor, weights, gradient, result, moments: state.firstMoments.slice(), after: state.weights.slice() };
  });
}

for (const penalty of [{ kind: "l2-sp", strength: 30 }, { kind: "ewc", strength: 90 }] as const) {
  Deno.test(`a step with ${penalty.kind} adds its gradient before norm and clipping, on any number of threads`, async () => {
    const { anchor, weights, gradient, result, moments, after } = await stepped(penalty, 1);
    const expected = [...gradient].map((g, i) => {
      const pull = penalty.kind === "ewc" ? penalty.strength * (IMPORTANCE[i] ?? 0) : penalty.strength;
      return g + pull * ((weights[i] ?? 0) - (anchor[i] ?? 0));
    });
    const norm = Math.hypot(...expected);
    assert.ok(norm > 1.01 * Math.hypot(...gradient), "a penalty that could be missed");
    assert.ok(Math.abs(result.gradientNorm / norm - 1) < 1e-5, `${result.gradientNorm} and ${norm}`);
    const clip = Math.min(1, 1 / norm);
    for (const [i, g] of expected.entries()) {
      assert.ok(
        Math.abs((moments[i] ?? 0) - 0.1 * clip * g) < 1e-6,
        `moment ${i}: ${moments[i]} and ${0.1 * clip * g}`,
      );
    }
    for (const threads of [2, 3, 4]) {
      const other = await stepped(penalty, threads);
      assert.deepEqual([other.result, other.after, other.moments], [result, after, moments], `${threads} threads`);
    }
  });
}

Deno.test("a penalty is nothing where the weights are those that it pulls towards", async () => {
  const plain = await withSession(undefined, 1, async (session) => {
    await fill(session, 1);
    return [await session.step(TOKENS, 1e-3, 0), (await session.readState()).weights.slice()];
  });
  const anchored = await withSession({ kind: "l2-sp", strength: 5 }, 1, async (session) => {
    await fill(session, 1);
    await session.anchor?.(undefined);
    return [await session.step(TOKENS, 1e-3, 0), (await session.readState()).weights.slice()];
  });
  assert.deepEqual(anchored, plain);
});

Deno.test("anchor() refuses a session without a penalty, and importance of another length", async () => {
  await withSession(undefined, 1, async (session) => {
    await assert.rejects(async () => await session.anchor?.(undefined), /without a penalty/);
  });
  await withSession({ kind: "ewc", strength: 1 }, 1, async (session) => {
    await assert.rejects(async () => await session.anchor?.(new Float32Array(3)), /the importance of/);
  });
});
