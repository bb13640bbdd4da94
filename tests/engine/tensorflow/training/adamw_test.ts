/** One update against the formulas of docs/arithmetic.md §6 in doubles, from the engine's own gradient. */
import assert from "node:assert/strict";
import type { TrainingState } from "../../../../src/engine/engine.ts";
import { parameterShapes } from "../../../../src/model/parameters.ts";
import { copyState, loadState, OPTIMIZER, randomTokens, randomWeights } from "../../fixture.ts";
import { relativeError, SMOKE, trainingOf, withTensorFlow } from "./fixture.ts";

/** AdamW with decoupled decay of matrices and embeddings, in doubles. */
function updated(before: TrainingState, gradient: Float32Array, norm: number, rate: number, t: number): TrainingState {
  const { beta1, beta2, epsilon, weightDecay, gradientClip } = OPTIMIZER;
  const clip = Math.min(1, gradientClip / (norm + 1e-6));
  const weights = new Float32Array(gradient.length);
  const firstMoments = new Float32Array(gradient.length);
  const secondMoments = new Float32Array(gradient.length);
  for (const { offset, size, decayed } of parameterShapes(SMOKE)) {
    for (let i = offset; i < offset + size; i++) {
      const g = gradient[i]! * clip;
      const m = beta1 * before.firstMoments[i]! + (1 - beta1) * g;
      const v = beta2 * before.secondMoments[i]! + (1 - beta2) * g * g;
      const change = m / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
      weights[i] = before.weights[i]! * (decayed ? 1 - rate * weightDecay : 1) - rate * change;
      firstMoments[i] = m;
      secondMoments[i] = v;
    }
  }
  return { weights, firstMoments, secondMoments };
}

const cases = [
  { what: "whose gradient is clipped", scale: 20, clipped: true, step: 0, rate: 0.01 },
  { what: "whose gradient is not clipped", scale: 1, clipped: false, step: 7, rate: 0.01 },
  { what: "late in a run", scale: 1, clipped: false, step: 5000, rate: 0.3 },
];

for (const { what, scale, clipped, step, rate } of cases) {
  Deno.test(`step() is AdamW with decay of matrices and embeddings only, in a step ${what}`, async () => {
    await withTensorFlow(trainingOf(SMOKE), async (session) => {
      const before = {
        weights: randomWeights(SMOKE, 1, scale),
        firstMoments: randomWeights(SMOKE, 2).map((value) => value / 100),
        secondMoments: randomWeights(SMOKE, 3).map((value) => value * value / 1000),
      };
      await loadState(session, before);
      const tokens = randomTokens(SMOKE, 4);
      const { gradient } = await session.gradient(tokens);
      const { gradientNorm } = await session.step(tokens, Math.fround(rate), step);
      const norm = Math.hypot(...gradient);
      assert(Math.abs(gradientNorm / norm - 1) < 1e-6, `norm ${gradientNorm}, expected ${norm}`);
      assert.equal(norm > OPTIMIZER.gradientClip, clipped);

      const after = await copyState(session);
      const expected = updated(before, gradient, norm, Math.fround(rate), step + 1);
      for (const { name, offset, size } of parameterShapes(SMOKE)) {
        for (const vector of ["weights", "firstMoments", "secondMoments"] as const) {
          const part = (state: TrainingState) => state[vector].subarray(offset, offset + size);
          const error = relativeError(part(after), part(expected));
          assert(error < 5e-6, `${vector} of ${name}: relative error ${error}`);
        }
      }
    });
  });
}
