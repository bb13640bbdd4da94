/** Checkpoints pass from one engine to the other. */
import assert from "node:assert/strict";
import { sha256 } from "../../../../src/digest/sha256.ts";
import type { Session } from "../../../../src/engine/engine.ts";
import type { RunKey } from "../../../../src/experiment/run/run.ts";
import { readCheckpoint, writeCheckpoint } from "../../../../src/train/checkpoint/checkpoint.ts";
import { stateDigest } from "../../../../src/train/checkpoint/state_digest.ts";
import { withFolder } from "../../../temporary_folder.ts";
import { assertSameState, copyState, LEARNING_RATE, loadWeights, randomTokens, randomWeights } from "../../fixture.ts";
import { SMOKE, trainingOf, withBoth } from "./fixture.ts";

const RUN = sha256("a run") as unknown as RunKey;
const STEPS = 3;

async function train(session: Session, first: number, last: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = first; step < last; step++) {
    losses.push((await session.step(randomTokens(SMOKE, 4, step), LEARNING_RATE, step)).loss);
  }
  return losses;
}

for (const giver of ["exact", "tensorflow"] as const) {
  Deno.test(`a checkpoint of the ${giver} engine loads in the other, which goes on from it`, async () => {
    await withFolder((folder) =>
      withBoth(trainingOf(SMOKE), async (tensorflow, exact) => {
        const [from, to] = giver === "exact" ? [exact, tensorflow] : [tensorflow, exact];
        await loadWeights(from, randomWeights(SMOKE));
        await train(from, 0, STEPS);

        const state = await copyState(from);
        const digest = stateDigest(state, STEPS, 4 * STEPS);
        const info = { run: RUN, step: STEPS, dataPosition: 4 * STEPS, state: digest };
        const path = `${folder}/step.safetensors`;
        await writeCheckpoint(path, SMOKE, state, info);
        await to.writeState(async (target) => void await readCheckpoint(path, SMOKE, target, info));

        assertSameState(await copyState(to), state, SMOKE);
        const [expected, actual] = [await train(from, STEPS, 2 * STEPS), await train(to, STEPS, 2 * STEPS)];
        actual.forEach((loss, i) => assert(Math.abs(loss / expected[i]! - 1) < 1e-5, `loss ${loss}`));
      })
    );
  });
}
