/** What the contract trains: a model that every engine takes, its batches, and what the reference makes of them. */
import { sha256 } from "../../../src/digest/sha256.ts";
import type { Session, SessionOptions, StepResult, TrainingState } from "../../../src/engine/engine.ts";
import { step } from "../../reference/step.ts";
import { LEARNING_RATE, randomTokens, randomWeights, smallTraining, stateOf } from "../fixture.ts";

/** Three gradient blocks, which no binary tree divides evenly; heads of 16, as tensor cores want them. */
export const TRAINING = smallTraining(
  { hiddenSize: 32, intermediateSize: 64, sequenceLength: 16, vocabularySize: 64 },
  3,
) satisfies SessionOptions;

/** Its model. */
export const { model: MODEL, batchSequences: SEQUENCES } = TRAINING;

/** Optimizer steps. */
export const STEPS = 3;

/** Tokens of a step, (B, T + 1). */
export function batch(step: number): Uint16Array {
  return randomTokens(MODEL, SEQUENCES, step + 1);
}

/** A state in the middle of a training: no moment is zero, and second moments are as small as they become. */
export function midTraining(): TrainingState {
  return {
    weights: randomWeights(MODEL, 1),
    firstMoments: randomWeights(MODEL, 2).map((value) => value / 100),
    secondMoments: randomWeights(MODEL, 3).map((value) => value * value / 1000),
  };
}

/** Takes some steps. */
export async function train(session: Session, first = 0, last = STEPS): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (let index = first; index < last; index++) results.push(await session.step(batch(index), LEARNING_RATE, index));
  return results;
}

/** The steps from `randomWeights`, and the state after them, by the reference of docs/arithmetic.md. */
export function trainReference(): { readonly results: StepResult[]; readonly state: TrainingState } {
  const state = stateOf(randomWeights(MODEL));
  const results = Array.from(
    { length: STEPS },
    (_, index) => step(TRAINING, state, batch(index), LEARNING_RATE, index),
  );
  return { results, state };
}

/** A copy of everything that a session keeps. */
export async function save(session: Session): Promise<TrainingState> {
  const { weights, firstMoments, secondMoments, engineState } = await session.readState();
  return {
    weights: weights.slice(),
    firstMoments: firstMoments.slice(),
    secondMoments: secondMoments.slice(),
    engineState: engineState?.slice(),
  };
}

/** Hands a session a saved state; an engine's own part only where it was saved. */
export async function restore(session: Session, saved: TrainingState): Promise<void> {
  await session.writeState(({ weights, firstMoments, secondMoments, engineState }) => {
    weights.set(saved.weights);
    firstMoments.set(saved.firstMoments);
    secondMoments.set(saved.secondMoments);
    if (saved.engineState !== undefined) engineState?.set(saved.engineState);
  });
}

/** SHA-256 of each vector's bytes: what two states must share to be the same bits. */
export function fingerprint(state: TrainingState): Record<string, string> {
  return Object.fromEntries(
    Object.entries(state).filter(([, vector]) => vector !== undefined).map((
      [name, vector]: [string, Float32Array | Uint8Array],
    ) => [
      name,
      sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).slice()),
    ]),
  );
}
