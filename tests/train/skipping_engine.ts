/** An engine whose bits hold from run to run only: exact arithmetic that skips steps, as a loss scale's overflows do. */
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { Engine, Session, TrainingState } from "../../src/engine/engine.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type { Conditions } from "../../src/train/conditions.ts";
import { kernelCache } from "../reproduce/smoke.ts";

/** Skips where the count of calls, which is the engine's own state, comes to one of these. */
const SKIPPED_CALLS: readonly number[] = [0, 5, 6, 40];

function withState(state: TrainingState, calls: number): Required<TrainingState> {
  return { ...state, engineState: Uint8Array.of(calls) };
}

/**
 * See above.
 *
 * @param conditions what it says its bits depend on
 */
export async function skippingEngine(conditions: Conditions = { gpu: "one" }): Promise<Engine> {
  const exact = await createExactEngine({ threads: 1, sha256, cache: kernelCache });
  return {
    ...exact,
    name: "skipping",
    level: "run_to_run",
    arithmetic: "skipping/1",
    conditions,
    open: async (options): Promise<Session> => {
      const session = await exact.open(options);
      let calls = 0;
      return {
        memoryBytes: session.memoryBytes,
        evaluate: (tokens) => session.evaluate(tokens),
        logits: (tokens) => session.logits(tokens),
        gradient: (tokens) => session.gradient(tokens),
        close: () => session.close(),
        readState: async () => withState(await session.readState(), calls),
        writeState: (fill) =>
          session.writeState(async (state) => {
            const whole = withState(state, 0);
            await fill(whole);
            calls = whole.engineState[0] ?? 0;
          }),
        step: async (tokens, learningRate, updates) => {
          if (!SKIPPED_CALLS.includes(calls++)) return await session.step(tokens, learningRate, updates);
          const { loss } = await session.gradient(tokens);
          return { loss, gradientNorm: Infinity, outcome: "skipped" };
        },
      };
    },
  };
}
