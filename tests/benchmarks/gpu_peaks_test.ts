import assert from "node:assert/strict";
import { dataSheet, leastSeconds, modelFlopsUtilization, PAPER_DEVICE } from "../../benchmarks/gpu/peaks.ts";
import { presetModel } from "../../src/model/presets.ts";

Deno.test("modelFlopsUtilization() counts 6 FLOP a matrix parameter and 12 · T · h · L for attention", () => {
  // Pythia-410M: 302 M in matrices of layers, 51.5 M in the head, and 0.6 GFLOP of attention: 2.725 GFLOP a token.
  const { config } = presetModel("pythia-410m");
  const matrices = 24 * 12 * 1024 ** 2 + 50304 * 1024;
  const flops = 6 * matrices + 12 * 2048 * 1024 * 24;
  assert.equal(flops, 2724986880);
  assert.equal(modelFlopsUtilization(config, 1000, 1e15), 1000 * flops / 1e15);
  // Half of 790 TFLOP/s.
  assert.equal(Math.round(100 * modelFlopsUtilization(config, 145_000, 790e12)), 50);
});

Deno.test("dataSheet() tells parts of one processor apart by the driver's names", () => {
  assert.equal(dataSheet("NVIDIA H200")?.memory, 4.8e12);
  assert.equal(dataSheet("NVIDIA H100 80GB HBM3")?.memory, 3.35e12);
  assert.equal(dataSheet("NVIDIA H100 PCIe")?.half, 756.5e12);
  assert.equal(dataSheet("NVIDIA A100-SXM4-80GB")?.memory, 2.039e12);
  assert.equal(dataSheet("NVIDIA A100-SXM4-40GB")?.memory, 1.555e12);
  assert.equal(dataSheet("CPU stand-in"), undefined);
  assert(dataSheet(PAPER_DEVICE) !== undefined);
});

Deno.test("leastSeconds() is the longer of arithmetic and memory, by the units that do it", () => {
  const peaks = { f32: 10, half: 100, memory: 5 };
  assert.equal(leastSeconds({ flops: 100, bytes: 5, unit: "f32" }, peaks), 10);
  assert.equal(leastSeconds({ flops: 100, bytes: 5, unit: "half" }, peaks), 1);
  assert.equal(leastSeconds({ flops: 100, bytes: 50, unit: "half" }, peaks), 10);
});
