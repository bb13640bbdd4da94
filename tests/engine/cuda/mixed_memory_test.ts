/** The memory that the mixed mode plans is what it takes, and what does not fit is refused with what would. */
import assert from "node:assert/strict";
import { UserError } from "../../../src/errors.ts";
import { largestGradientBlock, planMixedMemory } from "../../../src/engine/cuda/mixed/memory.ts";
import { MixedSession } from "../../../src/engine/cuda/mixed/session.ts";
import { presetModel } from "../../../src/model/presets.ts";
import { OPTIMIZER } from "../fixture.ts";
import { ignoreWithoutCompiler as ignore, withBench } from "./mixed_fixture.ts";
import { MODEL, optionsOf, withSession } from "./mixed_session_fixture.ts";

const GIB = 2 ** 30;

for (const [blocks, recompute] of [[1, false], [2, false], [3, true], [7, false]] as const) {
  Deno.test({
    name: `planMixedMemory() says what a session takes, ${blocks} blocks${recompute ? ", recomputing" : ""}`,
    ignore,
    fn: () => {
      const options = optionsOf(blocks, 1);
      return withSession(options, { recompute }, (session, { device }) => {
        const { bytes, parts } = planMixedMemory(options, { recompute, matmuls: "own" });
        assert.equal(device.allocatedBytes, bytes);
        assert.equal(session.memoryBytes, bytes);
        assert.equal(Object.values(parts).reduce((sum, part) => sum + part, 0), bytes);
        return Promise.resolve();
      });
    },
  });
}

Deno.test({
  name: "MixedSession.close() gives all memory back, as does one that cannot be opened",
  ignore,
  fn: () =>
    withBench({ headSize: 16 }, ({ device, kernels, controls }) => {
      const options = optionsOf(6, 2);
      const parts = { device, kernels, precision: "bf16" as const };
      new MixedSession(parts, options).close();
      assert.equal(device.allocatedBytes, 0);
      const { bytes } = planMixedMemory(options, { matmuls: "own" });
      controls.memory(bytes - 2 ** 20);
      assert.throws(() => new MixedSession(parts, options), UserError);
      assert.equal(device.allocatedBytes, 0);
      return Promise.resolve();
    }),
});

Deno.test({
  name: "MixedSession names what does not fit, and the gradient blocks that would",
  ignore,
  fn: () =>
    withBench({ headSize: 16 }, ({ device, kernels, controls }) => {
      const options = optionsOf(64, 64);
      const parts = { device, kernels, precision: "bf16" as const };
      const { bytes } = planMixedMemory(optionsOf(64, 16), { matmuls: "own" });
      controls.memory(bytes + 2 ** 20);
      const problem =
        /^Training needs [\d.]+ [GM]iB on the GPU \(state [^)]+, gradients [^)]+, activations [^)]+, work [^)]+\) with 64 sequences a gradient block, and [\d.]+ [GM]iB are free: set gradientBlockSequences to 16, or to 32 with activations recomputed$/;
      assert.throws(
        () => new MixedSession(parts, options),
        (error) => error instanceof UserError && error.code === "OUT_OF_DEVICE_MEMORY" && problem.test(error.message),
      );
      controls.memory(2 ** 20);
      assert.throws(() => new MixedSession(parts, options), /choose a smaller model or a larger GPU$/);
      return Promise.resolve();
    }),
});

Deno.test("largestGradientBlock() divides the batch and fits", () => {
  const options = optionsOf(12, 1);
  const bytes = (sequences: number) => planMixedMemory({ ...options, gradientBlockSequences: sequences }).bytes;
  assert.equal(largestGradientBlock(options, {}, Infinity), 12);
  assert.equal(largestGradientBlock(options, {}, bytes(6)), 6);
  assert.equal(largestGradientBlock(options, {}, bytes(6) - 1), 4);
  // Many small blocks need less for activations and more for sums that wait in the tree.
  const least = Math.min(...[1, 2, 3, 4, 6, 12].map(bytes));
  assert.equal(largestGradientBlock(options, {}, least - 1), undefined);
});

Deno.test("planMixedMemory() holds Pythia-410M at 16 sequences of 2048 on an H200, and at 4 on 24 GiB recomputing", () => {
  const { config } = presetModel("pythia-410m");
  const options = { model: config, optimizer: OPTIMIZER, batchSequences: 1104, gradientBlockSequences: 16 };
  const { bytes, parts, logitRanges, gradientVectors } = planMixedMemory(options);
  assert(bytes < 60 * GIB, `${bytes / GIB} GiB`);
  assert.equal(parts.state, 14 * 405334016);
  assert.equal(gradientVectors, 7); // 69 blocks, 35 pairs
  assert.equal(logitRanges.length, 4);
  const small = planMixedMemory({ ...options, gradientBlockSequences: 4 }, { recompute: true });
  assert(small.bytes < 24 * GIB, `${small.bytes / GIB} GiB`);
});

Deno.test("planMixedMemory() cuts rows of logits into pieces of at most the bytes given", () => {
  for (const [sequences, logitBytes] of [[1, 1], [8, 50000], [8, 2 ** 30], [13, 100000]] as const) {
    const { rows, logitRanges } = planMixedMemory(optionsOf(sequences, sequences), { logitBytes });
    assert.equal(logitRanges.reduce((next, { first, count }) => first === next ? next + count : NaN, 0), rows);
    const most = Math.max(128, Math.floor(logitBytes / (2 * MODEL.vocabularySize)));
    assert(logitRanges.every(({ count }) => count >= 1 && count <= most));
  }
});

Deno.test("planMixedMemory() refuses models that the kernels do not cover", () => {
  const cases = [
    [{ hiddenSize: 272, heads: 2, rotaryFraction: 2 / 17 }, /a multiple of 8 up to 128, but it is 136$/],
    [{ rotaryFraction: 0.625 }, /2, 4, 6, 8 or a multiple of 16, but they are 10$/],
    [{ hiddenSize: 8200, heads: 1025, rotaryFraction: 0.25 }, /at most 8192, but it is 8200$/],
    [{ hiddenSize: 60 }, /multiple of 8/],
  ] as const;
  for (const [change, message] of cases) {
    assert.throws(() => planMixedMemory(optionsOf(2, 1, { ...MODEL, ...change })), { name: "RangeError", message });
  }
});
