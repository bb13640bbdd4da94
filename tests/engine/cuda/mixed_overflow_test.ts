/** Steps of the mixed mode whose gradients overflow: skipped in fp16, the end in bf16. */
import assert from "node:assert/strict";
import { decodeLossScale, encodeLossScale, type LossScale } from "../../../src/engine/cuda/mixed/training_state.ts";
import type { MixedSession } from "../../../src/engine/cuda/mixed/session.ts";
import { LEARNING_RATE, randomTokens, randomWeights } from "../fixture.ts";
import { digestOf, ignoreWithoutCompiler as ignore } from "./mixed_fixture.ts";
import { MODEL, optionsOf, stateOf, withSession } from "./mixed_session_fixture.ts";

const OPTIONS = optionsOf(2, 1);
const TOKENS = randomTokens(MODEL, 2);

async function start(session: MixedSession, lossScale: LossScale, weights = randomWeights(MODEL)): Promise<void> {
  await session.writeState((state) => {
    state.weights.set(weights);
    state.engineState.set(encodeLossScale(lossScale));
  });
}

async function lossScaleOf(session: MixedSession): Promise<LossScale> {
  return decodeLossScale((await session.readState()).engineState);
}

Deno.test({
  name: "MixedSession.step() in fp16 begins with the scale 2^12 and counts good steps",
  ignore,
  fn: () =>
    withSession(OPTIONS, { precision: "fp16" }, async (session) => {
      assert.deepEqual(await lossScaleOf(session), { scale: 4096, goodSteps: 0, hysteresis: 2 });
      for (let step = 0; step < 3; step++) await session.step(TOKENS, LEARNING_RATE, step);
      assert.deepEqual(await lossScaleOf(session), { scale: 4096, goodSteps: 3, hysteresis: 2 });
    }),
});

Deno.test({
  name: "MixedSession.step() in fp16 skips steps that overflow, halves the scale from the second on, and trains on",
  ignore,
  fn: () =>
    withSession(OPTIONS, { precision: "fp16" }, async (session) => {
      // Each token's gradient is up to scale / 40: beyond 65504 from 2^22 on.
      await start(session, { scale: 2 ** 24, goodSteps: 7, hysteresis: 2 });
      const before = digestOf(...await stateOf(session));
      const seen: [string, number, number, number][] = [];
      let updates = 0;
      for (let i = 0; i < 8; i++) {
        const { outcome, loss, gradientNorm } = await session.step(TOKENS, LEARNING_RATE, updates);
        const updated = outcome === "updated";
        assert(Number.isFinite(loss));
        assert.equal(Number.isFinite(gradientNorm), updated);
        if (updated) updates++;
        else assert.equal(digestOf(...await stateOf(session)), before);
        const { scale, goodSteps, hysteresis } = await lossScaleOf(session);
        seen.push([outcome, Math.log2(scale), goodSteps, hysteresis]);
      }
      assert.deepEqual(seen.slice(0, 3), [["skipped", 24, 0, 1], ["skipped", 23, 0, 1], ["skipped", 22, 0, 1]]);
      const first = seen.findIndex(([outcome]) => outcome === "updated");
      assert(first >= 3 && first < 7, JSON.stringify(seen));
      assert(seen.slice(first).every(([outcome], i) => outcome === "updated" && seen[first + i]![2] === i + 1));
      assert.notEqual(digestOf(...await stateOf(session)), before);
    }),
});

Deno.test({
  name: "MixedSession gives the same bits when it is resumed between skipped steps",
  ignore,
  fn: async () => {
    const scale: LossScale = { scale: 2 ** 24, goodSteps: 7, hysteresis: 2 };
    const run = async (session: MixedSession, steps: number, updates = 0) => {
      for (let i = 0; i < steps; i++) {
        if ((await session.step(TOKENS, LEARNING_RATE, updates)).outcome === "updated") updates++;
      }
      return updates;
    };
    const straight = await withSession(OPTIONS, { precision: "fp16" }, async (session) => {
      await start(session, scale);
      await run(session, 8);
      return digestOf(...await stateOf(session));
    });
    for (const stop of [1, 2, 6]) {
      const { half, updates } = await withSession(OPTIONS, { precision: "fp16" }, async (session) => {
        await start(session, scale);
        const updates = await run(session, stop);
        return { half: await session.readState(), updates };
      });
      await withSession(OPTIONS, { precision: "fp16" }, async (session) => {
        await session.writeState((state) => {
          state.weights.set(half.weights);
          state.firstMoments.set(half.firstMoments);
          state.secondMoments.set(half.secondMoments);
          state.engineState.set(half.engineState);
        });
        await run(session, 8 - stop, updates);
        assert.equal(digestOf(...await stateOf(session)), straight, `stopped after ${stop}`);
      });
    }
  },
});

Deno.test({
  name: "MixedSession.step() in fp16 diverges when it overflows at the smallest scale",
  ignore,
  fn: () =>
    withSession(OPTIONS, { precision: "fp16" }, async (session) => {
      const weights = randomWeights(MODEL);
      weights[weights.length - 1] = NaN;
      await start(session, { scale: 2, goodSteps: 0, hysteresis: 2 }, weights);
      const outcomes: string[] = [];
      for (let i = 0; i < 4; i++) outcomes.push((await session.step(TOKENS, LEARNING_RATE, 0)).outcome);
      assert.deepEqual(outcomes, ["skipped", "skipped", "diverged", "diverged"]);
      assert.deepEqual(await lossScaleOf(session), { scale: 1, goodSteps: 0, hysteresis: 1 });
    }),
});

Deno.test({
  name: "MixedSession.step() in bf16 diverges when a gradient is not finite, and has no loss scale",
  ignore,
  fn: () =>
    withSession(OPTIONS, { precision: "bf16" }, async (session) => {
      assert.deepEqual(await lossScaleOf(session), { scale: 1, goodSteps: 0, hysteresis: 1 });
      const weights = randomWeights(MODEL).fill(3e38, -64); // a row of the output head: its logits are infinite
      await start(session, { scale: 1, goodSteps: 0, hysteresis: 1 }, weights);
      const before = digestOf(...await stateOf(session));
      assert.equal((await session.step(TOKENS, LEARNING_RATE, 0)).outcome, "diverged");
      assert.equal(digestOf(...await stateOf(session)), before);
    }),
});

Deno.test({
  name: "MixedSession.gradient() leaves the loss scale alone and gives the gradient without it",
  ignore,
  fn: () =>
    withSession(OPTIONS, { precision: "fp16" }, async (session) => {
      const { gradient } = await session.gradient(TOKENS);
      await start(session, { scale: 2 ** 8, goodSteps: 5, hysteresis: 1 });
      const other = await session.gradient(TOKENS);
      assert.deepEqual(await lossScaleOf(session), { scale: 256, goodSteps: 5, hysteresis: 1 });
      const norm = (flat: Float32Array) => Math.sqrt(flat.reduce((sum, g) => sum + g * g, 0));
      assert(Math.abs(norm(gradient) / norm(other.gradient) - 1) < 1e-3);
    }),
});
