import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../../../src/digest/sha256.ts";
import type { TrainingState } from "../../../src/engine/engine.ts";
import { UserError } from "../../../src/errors.ts";
import type { RunKey } from "../../../src/experiment/run/run.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { initializeWeights } from "../../../src/model/initial_weights.ts";
import {
  checkpointName,
  checkpointStep,
  readCheckpoint,
  writeCheckpoint,
} from "../../../src/train/checkpoint/checkpoint.ts";
import { stateDigest } from "../../../src/train/checkpoint/state_digest.ts";
import { withFolder } from "../../temporary_folder.ts";
import { present } from "../../present.ts";

const MODEL = {
  hiddenSize: 8,
  layers: 1,
  heads: 1,
  intermediateSize: 16,
  vocabularySize: 16,
  sequenceLength: 8,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};
const RUN = sha256("run") as string as RunKey;
const OTHER_RUN = sha256("another run") as string as RunKey;

function emptyState(): TrainingState {
  const vector = () => new Float32Array(parameterCount(MODEL));
  return { weights: vector(), firstMoments: vector(), secondMoments: vector() };
}

function someState(): TrainingState {
  const state = emptyState();
  initializeWeights(MODEL, 1, state.weights);
  initializeWeights(MODEL, 2, state.firstMoments);
  initializeWeights(MODEL, 3, state.secondMoments);
  return state;
}

async function written(path: string): Promise<{ state: TrainingState; info: Parameters<typeof writeCheckpoint>[3] }> {
  const state = someState();
  const info = { run: RUN, step: 123, dataPosition: 492, state: stateDigest(state, 123, 492) };
  await writeCheckpoint(path, MODEL, state, info);
  return { state, info };
}

Deno.test("readCheckpoint() gives back what writeCheckpoint() wrote, to the bit", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/${checkpointName(123)}`;
    const { state, info } = await written(path);
    const loaded = emptyState();
    const found = await readCheckpoint(path, MODEL, loaded, { run: RUN, step: 123, state: info.state });
    assert.deepEqual(present(found), info);
    assert.deepEqual(loaded, state);
    assert.equal(checkpointStep(checkpointName(123)), 123);
  });
});

Deno.test("readCheckpoint() refuses another run's, another step's and another state's checkpoint", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/checkpoint`;
    await written(path);
    const read = (expected: Parameters<typeof readCheckpoint>[3]) =>
      readCheckpoint(path, MODEL, emptyState(), expected);
    await assert.rejects(read({ run: OTHER_RUN, step: 123 }), {
      code: "BAD_CHECKPOINT",
      message: /expected step 123 of run/,
    });
    await assert.rejects(read({ run: RUN, step: 124 }), { code: "BAD_CHECKPOINT", message: /holds step 123/ });
    await assert.rejects(read({ run: RUN, step: 123, state: sha256("x") }), { message: /has the digest .*, expected/ });
  });
});

Deno.test("readCheckpoint() notices every cut and every flipped bit, with a message for the user", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/checkpoint`;
    const { state } = await written(path);
    const bytes = await Deno.readFile(path);
    const attempt = async (damaged: Uint8Array, what: string) => {
      await Deno.writeFile(`${path}.damaged`, damaged);
      const loaded = emptyState();
      try {
        await readCheckpoint(`${path}.damaged`, MODEL, loaded, { run: RUN, step: 123 });
      } catch (error) {
        assert(error instanceof UserError, `${what}: ${error}`);
        return;
      }
      // Only white space in the padding of the header may differ unnoticed: the state must then be the same.
      assert.deepEqual(loaded, state, what);
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const damaged = bytes.slice();
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await attempt(damaged, `bit ${bit}`);
      }),
      { numRuns: 300, seed: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        await Deno.writeFile(`${path}.cut`, bytes.subarray(0, length));
        const loading = readCheckpoint(`${path}.cut`, MODEL, emptyState(), { run: RUN, step: 123 });
        await assert.rejects(loading, { name: "UserError" });
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

Deno.test("stateDigest() depends on weights, moments, step and data position", () => {
  const digests = new Set<string>();
  const changes: ((state: TrainingState) => void)[] = [
    () => {},
    ({ weights }) => weights[0] = -(weights[0] ?? 0),
    ({ firstMoments }) => firstMoments[firstMoments.length - 1] = 7,
    ({ secondMoments }) => secondMoments[5] = 7,
  ];
  for (const change of changes) {
    const state = someState();
    change(state);
    digests.add(stateDigest(state, 1, 2));
  }
  digests.add(stateDigest(someState(), 2, 2));
  digests.add(stateDigest(someState(), 1, 3));
  assert.equal(digests.size, 6);
});
