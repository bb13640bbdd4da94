/** The prediction of a step's memory against what TensorFlow.js counts. */
import assert from "node:assert/strict";
import { planMemory } from "../../../../src/engine/tensorflow/memory.ts";
import type { TensorFlow } from "../../../../src/engine/tensorflow/api.ts";
import { LEARNING_RATE, randomTokens } from "../../fixture.ts";
import { backendNamed, NEOX_TINY, SMOKE, trainingOf, withTensorFlow } from "./fixture.ts";

/** A part of TensorFlow.js that only this test uses. */
interface Profiler extends TensorFlow {
  profile(run: () => Promise<readonly never[]>): Promise<{ readonly peakBytes: number }>;
}

const shapes = [
  ["neox-tiny", NEOX_TINY],
  ["smoke", SMOKE],
  ["a long window", { ...SMOKE, sequenceLength: 128 }],
  ["a large vocabulary", { ...SMOKE, vocabularySize: 4096 }],
  ["many layers", { ...SMOKE, layers: 6 }],
] as const;

for (const [name, model] of shapes) {
  Deno.test(`memoryBytes is within 10 % of the peak of a step with ${name}`, async () => {
    const tf = (await backendNamed("wasm")).tf as Profiler;
    const options = trainingOf(model, 8);
    const others = tf.memory().numBytes;
    const { bytes, sequences } = planMemory(options, "wasm", { activations: 2 ** 30 });
    assert.equal(sequences, 8);
    await withTensorFlow(options, async (session) => {
      const { peakBytes } = await tf.profile(async () => {
        await session.step(randomTokens(model, 8), LEARNING_RATE, 0);
        return [];
      });
      const peak = peakBytes - others;
      assert.equal(session.memoryBytes, bytes);
      assert(Math.abs(bytes / peak - 1) < 0.1, `predicted ${bytes}, found ${peak}`);
    });
  });
}
