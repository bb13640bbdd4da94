import assert from "node:assert/strict";
import { encodeHalves } from "../../benchmarks/gpu/cases/case_writer.ts";
import {
  BATCH_COUNT,
  fillWeights,
  gpuTask,
  modelOf,
  normalNoise,
  SIZES,
  tokensPerStep,
} from "../../benchmarks/gpu/task.ts";
import { parameterCount } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";

Deno.test("normalNoise() is standard normal, and the same every time", () => {
  const noise = normalNoise(200_001);
  assert.deepEqual(normalNoise(200_001), noise);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const variance = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
  const within = noise.filter((value) => Math.abs(value) < 1).length / noise.length;
  assert(Math.abs(mean) < 0.01, `mean ${mean}`);
  assert(Math.abs(variance - 1) < 0.02, `variance ${variance}`);
  assert(Math.abs(within - 0.6827) < 0.005, `${within} within one standard deviation`);
});

Deno.test("fillWeights() gives each element its tensor's deviation times the noise of its place in the whole vector", () => {
  const model = modelOf("pythia-14m", true);
  const noise = normalNoise(1009);
  const weights = new Float32Array(parameterCount(model)).fill(NaN);
  fillWeights({ model, noise }, weights);
  for (const { name, offset, size, initial } of parameterShapes(model)) {
    for (const i of [offset, offset + 1, offset + size - 1]) {
      const expected = initial.kind === "constant"
        ? initial.value
        : initial.standardDeviation * (noise[i % 1009] ?? NaN);
      assert.equal(weights[i], Math.fround(expected), `${name}, element ${i - offset}`);
    }
  }
  assert(weights.every(Number.isFinite));
  assert.throws(() => fillWeights({ model, noise }, new Float32Array(3)), RangeError);
});

Deno.test("gpuTask() has whole micro-batches of Pythia's windows, and small shapes in a rehearsal", () => {
  for (const size of SIZES) {
    const task = gpuTask(size, false, { batchSequences: 2, microBatchSequences: 1 });
    assert.deepEqual([task.model.sequenceLength, task.model.vocabularySize], [2048, 50304]);
    assert.equal(task.batches.length, BATCH_COUNT);
    assert(task.batches.every((batch) => batch.length === 2 * 2049));
    assert.equal(tokensPerStep(task), 4096);
    const rehearsed = gpuTask(size, true, { batchSequences: 100, shape: { sequenceLength: 100 } });
    assert(rehearsed.batchSequences % rehearsed.microBatchSequences === 0);
    assert(tokensPerStep(rehearsed) < 1000);
  }
  assert.equal(
    gpuTask("pythia-14m", false, { batchSequences: 1, microBatchSequences: 1, shape: { layers: 1 } }).model.layers,
    1,
  );
});

Deno.test("encodeHalves() rounds to the nearest number of 16 bits, ties to even", () => {
  const values = Float32Array.of(1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -7, 0, 3.140625);
  const bf16 = [0x3f80, 0xc000, 0x3f80, 0x3f82, 0x3f81, 0, 0x4049];
  assert.deepEqual(Array.from(encodeHalves(values, "bf16")), bf16);
  const fp16 = Float32Array.of(1, -2, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 2 ** -24);
  assert.deepEqual(Array.from(encodeHalves(fp16, "fp16")), [0x3c00, 0xc000, 0x3c00, 0x3c02, 0x7bff, 1]);
});
