/** Ranks with a GPU each, on the stand-in: the bits of one, whatever their number. */
import assert from "node:assert/strict";
import { createMixedCudaEngine } from "../../../src/engine/cuda/mixed/engine.ts";
import { createOrderedCudaEngine } from "../../../src/engine/cuda/ordered/engine.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import type { Engine, Session, SessionOptions, StepResult, TrainingState } from "../../../src/engine/engine.ts";
import { withRankedEngine, withRankedSession } from "../../ranks/in_ranks.ts";
import {
  assertSameState,
  copyState,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  smallTraining,
} from "../fixture.ts";
import { MODEL } from "../contract/training.ts";
import { ignoreWithoutCompiler as ignore, standInFolder as mixedFolder } from "./mixed_fixture.ts";
import { standInFolder as orderedFolder } from "./ordered_fixture.ts";

const BATCH = 7;
const OPTIONS: SessionOptions = { ...smallTraining({}, BATCH, 1), model: MODEL };

async function ordered(options: { readonly ordinal?: number; readonly localRank?: number } = {}): Promise<Engine> {
  return await createOrderedCudaEngine({ libraryFolders: [await orderedFolder()], ...options });
}

async function mixed(precision: MixedPrecision): Promise<Engine> {
  return createMixedCudaEngine({ libraryFolders: [await mixedFolder()], onlyThere: true, precision });
}

const MODES: Readonly<Record<string, () => Promise<Engine>>> = {
  "cuda-ordered": () => ordered(),
  "cuda-bf16": () => mixed("bf16"),
  "cuda-fp16": () => mixed("fp16"),
};

/** Engines of ranks: the stand-in is one device, which here stands for as many as there are ranks. */
async function withEngines(name: string, ranks: number, use: (engines: readonly Engine[]) => Promise<void>) {
  const engines: Engine[] = [];
  try {
    for (let rank = 0; rank < ranks; rank++) {
      const engine = await MODES[name]?.();
      if (engine !== undefined) engines.push({ ...engine, deviceId: `stand-in ${rank}` });
    }
    await use(engines);
  } finally {
    for (const engine of engines) engine.close?.();
  }
}

/** Two steps from a state, and losses of an evaluation. */
async function train(session: Session, firstStep: number): Promise<readonly (StepResult | Float32Array)[]> {
  const found: (StepResult | Float32Array)[] = [];
  for (let step = firstStep; step < firstStep + 2; step++) {
    found.push(await session.step(randomTokens(MODEL, BATCH, step + 1), LEARNING_RATE, step));
  }
  found.push(await session.evaluate(randomTokens(MODEL, 5, 99)));
  return found;
}

/** A training of four steps, its state handed over after two; on so many ranks before and after. */
async function trained(name: string, before: number, after: number) {
  const found: unknown[] = [];
  let state: TrainingState | undefined;
  for (const [index, ranks] of [before, after].entries()) {
    await withEngines(name, ranks, (engines) =>
      withRankedSession(engines, OPTIONS, async (session) => {
        if (state === undefined) await loadWeights(session, randomWeights(MODEL));
        else await loadState(session, state);
        found.push(await train(session, 2 * index));
        state = await copyState(session);
      }));
  }
  return { found, state: state as TrainingState };
}

for (const name of Object.keys(MODES)) {
  Deno.test({
    name: `${name} (CPU stand-in): 1, 2 and 3 ranks train, evaluate and resume as one session does`,
    ignore,
    fn: async () => {
      const expected = await trained(name, 1, 1);
      for (const [before, after] of [[2, 2], [3, 1], [1, 2]] as const) {
        const actual = await trained(name, before, after);
        assert.deepEqual(actual.found, expected.found, `${before} ranks, then ${after}`);
        assertSameState(actual.state, expected.state, MODEL);
        assert.deepEqual(actual.state.engineState, expected.state.engineState);
      }
    },
  });
}

Deno.test({
  name: "ranks agree on a batch that overflows: all skip it, and have the same loss scale afterwards",
  ignore,
  fn: async () => {
    const weights = randomWeights(MODEL).map((weight) => 3000 * weight);
    const overflow = async (session: Session) => {
      await loadWeights(session, weights);
      const results = [];
      for (let step = 0; step < 3; step++) {
        results.push(await session.step(randomTokens(MODEL, BATCH, step), LEARNING_RATE, 0));
      }
      return { results, state: await copyState(session) };
    };
    const of = async (ranks: number) => {
      let found: Awaited<ReturnType<typeof overflow>> | undefined;
      await withEngines("cuda-fp16", ranks, async (engines) => {
        found = await withRankedSession(engines, OPTIONS, overflow);
      });
      return found;
    };
    const expected = await of(1);
    assert(expected?.results.some(({ outcome }) => outcome === "skipped"), JSON.stringify(expected?.results));
    assert.deepEqual(await of(3), expected);
  },
});

Deno.test({
  name: "two ranks on one GPU are refused, by its name",
  ignore,
  fn: async () => {
    const engines = await Promise.all([ordered(), ordered()]);
    try {
      await assert.rejects(withRankedEngine(engines, () => Promise.resolve()), {
        code: "RANKS_SHARE_DEVICE",
        message: /^Ranks 0 and 1 have the same device, GPU-[0-9a-f-]{36}: start one rank a GPU/,
      });
    } finally {
      for (const engine of engines) engine.close?.();
    }
  },
});

Deno.test({
  name: "ranks of a node take its GPUs in turn, and one that is shown a single GPU takes that",
  ignore,
  fn: async () => {
    // The stand-in has one device: every local rank that is not bound finds it.
    for (const localRank of [0, 1, 5]) {
      const engine = await ordered({ localRank });
      engine.close?.();
    }
    await assert.rejects(ordered({ ordinal: 1, localRank: 0 }), { code: "CUDA_UNAVAILABLE" });
  },
});
