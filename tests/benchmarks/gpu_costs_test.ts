import assert from "node:assert/strict";
import { COST_RULES, LaunchCosts, type Mode } from "../../benchmarks/gpu/costs/launch_costs.ts";
import { KernelTotals } from "../../benchmarks/gpu/kernel_times.ts";
import { paperStep } from "../../benchmarks/gpu/paper_step.ts";
import { modelOf, OPTIMIZER } from "../../benchmarks/gpu/task.ts";
import { readKernelUnit } from "../../src/engine/cuda/kernel_source.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";

const PEAKS = { f32: 1e12, half: 1e13, memory: 1e12 };
const MODES: readonly Mode[] = ["ordered", "mixed"];

for (const mode of MODES) {
  Deno.test(`every kernel of the ${mode} mode has a rule for what it costs, and no other has`, async () => {
    const { kernels } = await readKernelUnit(mode);
    assert.deepEqual(Object.keys(COST_RULES[mode]).sort(), [...kernels.keys()].sort());
  });

  Deno.test(`every rule of the ${mode} mode finds the parameters it asks for`, async () => {
    const { kernels } = await readKernelUnit(mode);
    const costs = await LaunchCosts.read(mode);
    const view = { address: 0n, bytes: 4096, what: "any", allocation: { live: true } };
    for (const { name, signature } of kernels.values()) {
      const args = Array.from(signature, (letter) => letter === "p" ? view : 1);
      const cost = costs.of({ kernel: name, shape: { grid: [2, 2, 2], block: 32 }, args }, modelOf("pythia-14m", true));
      assert(cost.bytes > 0 && cost.flops >= 0, name);
    }
  });
}

/** A step of two micro-batches at real sizes, kernel by kernel. */
async function stepOf(mode: Mode, model: ModelConfig) {
  const options = { model, optimizer: OPTIMIZER, batchSequences: 4, gradientBlockSequences: 2, microBatchBlocks: 1 };
  const kernels = (await paperStep(mode, options, PEAKS)).perStep(1);
  const sum = (value: (kernel: typeof kernels[number]) => number) =>
    kernels.reduce((total, kernel) => total + value(kernel), 0);
  return { kernels, sum };
}

/** FLOPs of all matrices, forward and backward, of four sequences. */
function matrixFlops({ hiddenSize: h, intermediateSize: m, layers, vocabularySize, sequenceLength }: ModelConfig) {
  return 4 * sequenceLength * 6 * (layers * (4 * h * h + 2 * h * m) + vocabularySize * h);
}

Deno.test("paperStep() finds the FLOPs of the ordered mode's matmuls: matrices, and seven triangles a head", async () => {
  const model = modelOf("pythia-160m", false);
  const { sum } = await stepOf("ordered", model);
  const { sequenceLength: t, layers, hiddenSize: h } = model;
  // S and O forward; S again, dP, dV, dQ and dK backward: each d products for an element of the triangle.
  const triangles = 4 * layers * 7 * 2 * h * (t * (t + 1) / 2);
  assert.equal(sum(({ shape, flops }) => shape === undefined ? 0 : flops), matrixFlops(model) + triangles);
});

Deno.test("paperStep() finds the FLOPs of the mixed mode's matmuls: matrices, and nine half squares a head", async () => {
  const model = modelOf("pythia-160m", false);
  const { sum } = await stepOf("mixed", model);
  const { sequenceLength: t, layers, hiddenSize: h } = model;
  // Two matmuls forward; three for queries and four for keys backward.
  assert.equal(
    sum(({ shape, flops }) => shape === undefined ? 0 : flops),
    matrixFlops(model) + 4 * layers * 9 * h * t * t,
  );
});

Deno.test("paperStep() counts each update of the parameters once a step", async () => {
  const model = modelOf("pythia-14m", false);
  for (const [mode, bytes] of [["ordered", 28], ["mixed", 30]] as const) {
    const { kernels } = await stepOf(mode, model);
    const update = kernels.find(({ kernel }) => kernel === "adamw");
    assert.deepEqual([update?.launches, update?.bytes], [1, bytes * parameterCount(model)]);
  }
});

Deno.test("KernelTotals adds launches of one kernel and shape, predicts each by itself, and gives means over steps", () => {
  const totals = new KernelTotals({ f32: 1000, half: 1000, memory: 100 });
  const matmul = { flops: 1000, bytes: 10, unit: "f32", shape: "1×1×1" } as const;
  for (const milliseconds of [3, 5]) totals.add("matmul", matmul, milliseconds);
  totals.add("matmul", { ...matmul, shape: "2×2×2", bytes: 200 }, 100);
  totals.add("copy", { flops: 0, bytes: 100, unit: "f32" }, 2);
  const kernels = totals.perStep(2);
  assert.deepEqual(kernels.map(({ kernel, shape = "" }) => `${kernel} ${shape}`), [
    "matmul 2×2×2",
    "matmul 1×1×1",
    "copy ",
  ]);
  assert.deepEqual(kernels[1], {
    kernel: "matmul",
    shape: "1×1×1",
    unit: "f32",
    launches: 1,
    flops: 1000,
    bytes: 10,
    predictedMilliseconds: 1000,
    milliseconds: 4,
  });
  assert.equal(kernels[0]?.predictedMilliseconds, 1000); // 2 s of memory, in every second step
});
