/**
 * Matmuls of the exact engine against naive chains of fused multiply-adds, for every tile and block: one suite for
 * WebAssembly's kernels and for each native instruction set.
 */
import assert from "node:assert/strict";
import { philox } from "../../src/arithmetic/philox.ts";
import { SHAPE } from "../../src/engine/exact/kernels.ts";
import { at, fma, type Matrix, matrix, put, transpose } from "../reference/ordered_arithmetic.ts";
import type { KernelBench } from "./kernel_fixture.ts";

const PANEL_FLOATS = 512 * 8 + 258 * 512;

/** Rows apart by `stride` floats; the room between rows is NaN. */
function takeMatrix(bench: KernelBench, rows: number, columns: number, stride: number): Matrix {
  const data = bench.take(rows * stride);
  return { ...matrix(rows, columns, data), rowStride: stride };
}

/** Numbers of many magnitudes, so that any other order of summation rounds otherwise. */
function fillRandom(m: Matrix, stream: number): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < m.rows; i++) {
    for (let j = 0; j < m.columns; j++) {
      philox([stream, 1], [i, j, 0, 0], words);
      put(m, i, j, ((words[0] ?? 0) / 4294967296 - 0.5) * 2 ** (((words[1] ?? 0) % 13) - 6));
    }
  }
}

interface Matmul {
  readonly kernel: "matmulNN" | "matmulNT" | "matmulTN";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly shape?: keyof typeof SHAPE;
  readonly fresh?: boolean;
}

/** Whether a masked matmul defines element (i, j) of C. */
function isNeeded(shape: keyof typeof SHAPE, i: number, j: number): boolean {
  return shape !== "lower" || j <= i;
}

/** Runs a kernel on matrices with gaps between rows and compares every element, and the gaps, with the definition. */
function checkMatmul(bench: KernelBench, { kernel, m, n, k, shape = "full", fresh = true }: Matmul): void {
  bench.reset();
  const storedA = kernel === "matmulTN" ? takeMatrix(bench, k, m, m + 12) : takeMatrix(bench, m, k, k + 4);
  const storedB = kernel === "matmulNT" ? takeMatrix(bench, n, k, k + 8) : takeMatrix(bench, k, n, n + 4);
  const c = takeMatrix(bench, m, n, n + 4);
  const panel = bench.take(PANEL_FLOATS);
  fillRandom(storedA, 1);
  fillRandom(storedB, 2);
  fillRandom(c, 3);
  const a = kernel === "matmulTN" ? transpose(storedA) : storedA;
  const b = kernel === "matmulNT" ? transpose(storedB) : storedB;
  maskA(a, shape);
  const before = c.data.slice();

  bench.kernels[kernel](
    m,
    n,
    k,
    storedA.data.byteOffset,
    storedA.rowStride * 4,
    storedB.data.byteOffset,
    storedB.rowStride * 4,
    c.data.byteOffset,
    c.rowStride * 4,
    panel.byteOffset,
    SHAPE[shape],
    fresh,
  );

  assert(bench.marginsAreWhole(), `${kernel} ${m}×${n}×${k} ${shape} wrote beside its operands`);
  for (let i = 0; i < m; i++) {
    const [first, last] = [shape === "startsAtRow" ? i : 0, shape === "endsAtRow" ? i + 1 : k];
    for (let j = 0; j < n; j++) {
      if (!isNeeded(shape, i, j)) continue;
      let sum = fresh ? 0 : before[i * c.rowStride + j]!;
      for (let step = first; step < last; step++) sum = fma(at(a, i, step), at(b, step, j), sum);
      const actual = at(c, i, j);
      assert(actual === sum, `${kernel} ${m}×${n}×${k} ${shape}: C[${i}, ${j}] is ${actual}, expected ${sum}`);
    }
    const gap = c.data.subarray(i * c.rowStride + n, (i + 1) * c.rowStride);
    assert(gap.every(Number.isNaN), `${kernel} ${m}×${n}×${k} ${shape} wrote beyond row ${i} of C`);
  }
}

/** Triangular operands: zeros for 12 elements beyond the diagonal, as the softmax writes them, and NaN from there on. */
function maskA(a: Matrix, shape: keyof typeof SHAPE): void {
  if (shape !== "endsAtRow" && shape !== "startsAtRow") return;
  for (let i = 0; i < a.rows; i++) {
    for (let step = 0; step < a.columns; step++) {
      const beyond = shape === "endsAtRow" ? step - i : i - step;
      if (beyond > 0) put(a, i, step, beyond <= 12 ? 0 : NaN);
    }
  }
}

const KERNELS = ["matmulNN", "matmulNT", "matmulTN"] as const;

/**
 * Registers the tests.
 *
 * @param road whose kernels the bench has, for the tests' names
 */
export function testMatmul(road: string, bench: KernelBench): void {
  const check = (matmul: Matmul) => checkMatmul(bench, matmul);
  for (const kernel of KERNELS) {
    Deno.test(`${road}: ${kernel}() is a chain per element for every remainder of its tiles`, () => {
      for (const m of [2, 4, 6, 8, 10, 12, 14, 16, 18]) {
        for (const n of [8, 16]) for (const k of [4, 8, 12, 20]) check({ kernel, m, n, k });
      }
    });

    Deno.test(`${road}: ${kernel}() continues the chains that stand in C when it is told to`, () => {
      for (const m of [6, 8, 10]) check({ kernel, m, n: 16, k: 24, fresh: false });
      check({ kernel, m: 10, n: 8, k: 516, fresh: false });
    });

    Deno.test(`${road}: ${kernel}() goes on with its chains from block to block of k`, () => {
      for (const k of [508, 512, 516, 1024, 1028]) check({ kernel, m: 10, n: 16, k });
    });

    Deno.test(`${road}: ${kernel}() covers all rows when there are more than a block of 258 holds`, () => {
      for (const m of [256, 258, 260, 262, 264, 518]) check({ kernel, m, n: 8, k: 8 });
      check({ kernel, m: 262, n: 16, k: 516 });
      // More than one block both of rows and of k, by the native kernels' measures as well.
      check({ kernel, m: 272, n: 8, k: 516 });
    });
  }

  Deno.test(`${road}: matmulNT() gives every element on and below the diagonal when only those are needed`, () => {
    for (const size of [8, 16, 24, 40, 264, 528]) check({ kernel: "matmulNT", m: size, n: size, k: 8, shape: "lower" });
    check({ kernel: "matmulNT", m: 24, n: 24, k: 520, shape: "lower" });
  });

  Deno.test(`${road}: matmulNN() stops at the diagonal of a lower triangular A and reads no further than 12 beyond it`, () => {
    for (const size of [8, 16, 24, 40, 528]) check({ kernel: "matmulNN", m: size, n: 8, k: size, shape: "endsAtRow" });
  });

  Deno.test(`${road}: matmulTN() starts at the diagonal of an upper triangular A and reads no more than 12 before it`, () => {
    for (const size of [8, 16, 24, 40, 528]) {
      check({ kernel: "matmulTN", m: size, n: 8, k: size, shape: "startsAtRow" });
    }
  });
}
