import { sha256 } from "../../../src/digest/sha256.ts";
import { createExactEngine } from "../../../src/engine/exact/engine.ts";
import assert from "node:assert/strict";
import { assertSameState, copyState, loadWeights } from "../fixture.ts";
import { hasNeoxTiny, NEOX_TINY_OPTIMIZER, readNeoxTiny } from "../../outside/neox_tiny.ts";
import { hasCompiler, withCudaEngine } from "./ordered_fixture.ts";

Deno.test({
  name: "OrderedSession gives the exact engine's bits over ten steps of neox-tiny",
  ignore: !hasCompiler || !hasNeoxTiny,
  fn: () =>
    withCudaEngine(async (cuda) => {
      const { config, weights, tokens, numbers } = await readNeoxTiny();
      const training = {
        model: config,
        optimizer: NEOX_TINY_OPTIMIZER,
        batchSequences: 2,
        gradientBlockSequences: 1,
      };
      const learningRate = Math.fround(numbers.adamw.lr);
      const [expected, actual] = await Promise.all(
        [await createExactEngine({ threads: 1, sha256 }), cuda].map(async (engine) => {
          const session = await engine.open(training);
          await loadWeights(session, weights);
          const steps = [];
          for (let step = 0; step < 10; step++) steps.push(await session.step(tokens, learningRate, step));
          const state = await copyState(session);
          session.close();
          return { steps, state };
        }),
      );
      assert(expected && actual);
      assert.deepEqual(actual.steps, expected.steps);
      assertSameState(actual.state, expected.state, config);
    }),
});
