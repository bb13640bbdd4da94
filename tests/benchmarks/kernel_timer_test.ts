import assert from "node:assert/strict";
import { KernelTimer } from "../../benchmarks/kernel_timer.ts";
import { type Kernels, SHAPE } from "../../src/engine/exact/kernels.ts";

Deno.test("KernelTimer tells matmuls apart by shape and counts half of a masked one", () => {
  const kernels = { matmulNT: () => {}, sumOfSquares: (g: number, n: number) => g + n } as unknown as Kernels;
  const timer = new KernelTimer(kernels);
  const multiply = (n: number, shape: number) => timer.kernels.matmulNT(4, n, 2, 0, 0, 0, 0, 0, 0, 0, shape, true);
  multiply(4, SHAPE.full);
  multiply(4, SHAPE.full);
  multiply(8, SHAPE.full);
  multiply(4, SHAPE.lower);
  assert.equal(timer.kernels.sumOfSquares(40, 2), 42);
  const found = timer.times.map(({ kernel, shape, calls, flops }) => [kernel, shape, calls, flops]);
  assert.deepEqual(
    new Set(found.map((entry) => entry.join(" "))),
    new Set([
      "matmulNT 4×4×2 2 128",
      "matmulNT 4×8×2 1 128",
      "matmulNT 4×4×2, lower triangle 1 40",
      "sumOfSquares  1 0",
    ]),
  );
  timer.reset();
  assert.deepEqual(timer.times, []);
});
