/**
 * The TensorFlow engine against the exact one: automatic differentiation judges the gradients that were written by hand.
 * docs/tensorflow.md has what was measured; the bounds leave a factor of ten for other processors and libraries.
 */
import assert from "node:assert/strict";
import { initializeWeights } from "../../../../src/model/initial_weights.ts";
import { parameterShapes } from "../../../../src/model/parameters.ts";
import { LEARNING_RATE, loadWeights, randomTokens, randomWeights } from "../../fixture.ts";
import { backendNamed, NEOX_TINY, relativeError, SMOKE, trainingOf, withBoth } from "./fixture.ts";

const LOSS_TOLERANCE = 3e-6;
const GRADIENT_TOLERANCE = 1e-5;
const TRAINING_TOLERANCE = 3e-5;
const STEPS = 50;

/** Whether a backend runs here. */
async function runs(backend: string): Promise<boolean> {
  return await backendNamed(backend).then(() => true, () => false);
}

const cases = [
  // Where the native libraries are installed, and permissions let them be loaded. They come before WebGPU: the compiler
  // in a software adapter and the one in TensorFlow are loaded in this order only.
  {
    backend: "tfjs-node-gpu",
    name: "neox-tiny",
    model: NEOX_TINY,
    steps: STEPS,
    ignore: !(await runs("tfjs-node-gpu")),
  },
  { backend: "tfjs-node", name: "neox-tiny", model: NEOX_TINY, steps: STEPS, ignore: !(await runs("tfjs-node")) },
  { backend: "wasm", name: "neox-tiny", model: NEOX_TINY, steps: STEPS },
  { backend: "wasm", name: "smoke", model: SMOKE, steps: STEPS },
  { backend: "cpu", name: "smoke", model: SMOKE, steps: 5 },
  // A software adapter takes seconds to compile the kernels.
  { backend: "webgpu", name: "smoke", model: SMOKE, steps: 5, ignore: !(await runs("webgpu")) },
];

function assertClose(actual: number, expected: number, tolerance: number, what: string): void {
  assert(Math.abs(actual / expected - 1) <= tolerance, `${what}: ${actual}, the exact engine has ${expected}`);
}

for (const { backend, name, model, steps, ignore = false } of cases) {
  Deno.test({
    name: `gradient() of every tensor of ${name} agrees with the exact engine on ${backend}`,
    ignore,
    fn: () =>
      withBoth(trainingOf(model), async (tensorflow, exact) => {
        const weights = randomWeights(model);
        const tokens = randomTokens(model, 4);
        await loadWeights(tensorflow, weights);
        await loadWeights(exact, weights);
        const actual = await tensorflow.gradient(tokens);
        const expected = await exact.gradient(tokens);
        assertClose(actual.loss, expected.loss, LOSS_TOLERANCE, "loss");
        for (const { name, offset, size } of parameterShapes(model)) {
          const part = (vector: Float32Array) => vector.subarray(offset, offset + size);
          const error = relativeError(part(actual.gradient), part(expected.gradient));
          assert(error <= GRADIENT_TOLERANCE, `${name}: relative error ${error}`);
        }
      }, backend),
  });

  Deno.test({
    name: `${steps} step()s of ${name} keep the exact engine's losses and norms on ${backend}`,
    ignore,
    fn: () =>
      withBoth(trainingOf(model), async (tensorflow, exact) => {
        for (const session of [tensorflow, exact]) {
          await session.writeState(({ weights }) => initializeWeights(model, 1, weights));
        }
        for (let step = 0; step < steps; step++) {
          const tokens = randomTokens(model, 4, step % 5);
          const actual = await tensorflow.step(tokens, LEARNING_RATE, step);
          const expected = await exact.step(tokens, LEARNING_RATE, step);
          assert.equal(actual.outcome, "updated");
          const tolerance = step === 0 ? LOSS_TOLERANCE : TRAINING_TOLERANCE;
          assertClose(actual.loss, expected.loss, tolerance, `loss of step ${step}`);
          assertClose(actual.gradientNorm, expected.gradientNorm, 10 * tolerance, `norm of step ${step}`);
        }
      }, backend),
  });
}

Deno.test("evaluate() and logits() agree with the exact engine", async () => {
  await withBoth(trainingOf(NEOX_TINY), async (tensorflow, exact) => {
    const weights = randomWeights(NEOX_TINY);
    for (const session of [tensorflow, exact]) await loadWeights(session, weights);
    const windows = randomTokens(NEOX_TINY, 7); // more than a micro-batch of four
    assert(relativeError(await tensorflow.evaluate(windows), await exact.evaluate(windows)) <= LOSS_TOLERANCE);
    const window = windows.subarray(0, NEOX_TINY.sequenceLength);
    assert(relativeError(await tensorflow.logits(window), await exact.logits(window)) <= LOSS_TOLERANCE);
  });
});

for (
  const [what, change] of [
    ["every dimension rotated", { rotaryFraction: 1 }],
    ["one layer and one head", { layers: 1, heads: 1 }],
  ] as const
) {
  Deno.test(`gradient() agrees with the exact engine with ${what}`, async () => {
    const model = { ...SMOKE, ...change };
    await withBoth(trainingOf(model), async (tensorflow, exact) => {
      const weights = randomWeights(model);
      for (const session of [tensorflow, exact]) await loadWeights(session, weights);
      const tokens = randomTokens(model, 4);
      const error = relativeError(
        (await tensorflow.gradient(tokens)).gradient,
        (await exact.gradient(tokens)).gradient,
      );
      assert(error <= GRADIENT_TOLERANCE, `relative error ${error}`);
    });
  });
}
