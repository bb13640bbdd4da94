import assert from "node:assert/strict";
import { philox } from "../../../src/arithmetic/philox.ts";
import { EXTENT, type MatmulLayout } from "../../../src/engine/cuda/ordered/kernels.ts";
import { chooseTile, tileGrid, TILES } from "../../../src/engine/cuda/ordered/matmul_tile.ts";
import { fma } from "../../reference/ordered_arithmetic.ts";
import { hasCompiler, type KernelBench, withKernels } from "./ordered_fixture.ts";

/** Values in (−1, 1) that differ with every seed. */
function random(count: number, seed: number): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  return Float32Array.from({ length: count }, (_, i) => {
    philox([seed, 7], [i, 0, 0, 0], words);
    return (words[0] ?? 0) / 2 ** 31 - 1;
  });
}

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Element (row, k) of the first operand and (k, column) of the second, as each layout stores them. */
function indices(layout: MatmulLayout, { m, n, k }: Shape) {
  return {
    a: (row: number, at: number) => layout === "tn" ? at * m + row : row * k + at,
    b: (at: number, column: number) => layout === "nt" ? column * k + at : at * n + column,
  };
}

/** What the kernel is asked, in plain chains. */
function expected(
  layout: MatmulLayout,
  shape: Shape,
  a: Float32Array,
  b: Float32Array,
  start: Float32Array | undefined,
  bias: Float32Array | undefined,
  range: (row: number) => readonly [number, number],
): Float32Array {
  const { m, n } = shape;
  const at = indices(layout, shape);
  const c = new Float32Array(m * n);
  for (let row = 0; row < m; row++) {
    const [first, last] = range(row);
    for (let column = 0; column < n; column++) {
      let sum = start?.[row * n + column] ?? 0;
      for (let k = first; k < last; k++) sum = fma(a[at.a(row, k)] ?? NaN, b[at.b(k, column)] ?? NaN, sum);
      c[row * n + column] = bias === undefined ? sum : Math.fround(sum + (bias[column] ?? NaN));
    }
  }
  return c;
}

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

async function multiply(
  { kernels, upload, download }: KernelBench,
  layout: MatmulLayout,
  { m, n, k }: Shape,
  a: Float32Array<ArrayBuffer>,
  b: Float32Array<ArrayBuffer>,
  further: Partial<Parameters<typeof kernels.matmul>[0]> & { start?: Float32Array<ArrayBuffer> },
): Promise<Float32Array> {
  const { start = new Float32Array(m * n).fill(NaN), ...rest } = further;
  const c = { view: upload(start), rowStride: n };
  kernels.matmul({
    layout,
    m,
    n,
    k,
    a: { view: upload(a), rowStride: layout === "tn" ? m : k },
    b: { view: upload(b), rowStride: layout === "nt" ? k : n },
    c,
    ...rest,
  });
  return await download(c.view);
}

for (const layout of ["nt", "nn", "tn"] as const) {
  for (const tile of TILES) {
    const name = `${tile.rows} × ${tile.columns}`;
    Deno.test({
      name: `matmul() gives the chains of docs/arithmetic.md when ${layout} is cut into tiles of ${name}`,
      ignore: !hasCompiler,
      fn: () =>
        withKernels(async (bench) => {
          // Whole tiles, edges on every side, and a shared dimension that is no multiple of the tile's depth.
          for (const shape of [{ m: 128, n: 128, k: 16 }, { m: 140, n: 72, k: 40 }, { m: 8, n: 136, k: 24 }]) {
            const a = random(shape.m * shape.k, 1), b = random(shape.k * shape.n, 2), bias = random(shape.n, 3);
            const all = () => [0, shape.k] as const;
            const fresh = await multiply(bench, layout, shape, a, b, { tile, bias: bench.upload(bias) });
            assert.deepEqual(bits(fresh), bits(expected(layout, shape, a, b, undefined, bias, all)));
            const start = random(shape.m * shape.n, 4);
            const joined = await multiply(bench, layout, shape, a, b, { tile, joins: true, start });
            assert.deepEqual(bits(joined), bits(expected(layout, shape, a, b, start, undefined, all)));
          }
        }),
    });
  }
}

Deno.test({
  name: "matmul() reads only its part of a triangle when it is given an extent",
  ignore: !hasCompiler,
  fn: () =>
    withKernels(async (bench) => {
      const length = 168, width = 24, square = { m: length, n: length, k: width };
      for (const tile of TILES) {
        const q = random(length * width, 1), k = random(length * width, 2);
        const whole = expected("nt", square, q, k, undefined, undefined, () => [0, width]);
        const lower = await multiply(bench, "nt", square, q, k, { tile, extent: EXTENT.lower });
        for (let row = 0; row < length; row++) {
          const part = (values: Float32Array) => bits(values.slice(row * length, row * length + row + 1));
          assert.deepEqual(part(lower), part(whole), `row ${row}`);
        }
        // Probabilities: zeros after the diagonal to the end of the tile, anything beyond.
        const p = random(length * length, 5).map((value, i) => {
          const row = Math.floor(i / length), column = i % length;
          return column <= row ? value : column < Math.ceil((row + 1) / 128) * 128 ? 0 : NaN;
        });
        const v = random(length * width, 6), narrow = { m: length, n: width, k: length };
        const output = await multiply(bench, "nn", narrow, p, v, { tile, extent: EXTENT.endsAtRow });
        assert.deepEqual(bits(output), bits(expected("nn", narrow, p, v, undefined, undefined, (row) => [0, row + 1])));
        const gradient = await multiply(bench, "tn", narrow, p, v, { tile, extent: EXTENT.startsAtRow });
        const columns = expected("tn", narrow, p, v, undefined, undefined, (row) => [row, length]);
        assert.deepEqual(bits(gradient), bits(columns));
      }
    }),
});

Deno.test({
  name: "matmul() keeps problems apart when one launch has several",
  ignore: !hasCompiler,
  fn: () =>
    withKernels(async ({ kernels, upload, download }) => {
      const shape = { m: 16, n: 8, k: 8 }, size = shape.m * shape.k;
      const a = random(6 * size, 1), b = random(shape.n * shape.k, 2);
      const c = upload(new Float32Array(6 * shape.m * shape.n));
      kernels.matmul({
        layout: "nt",
        ...shape,
        a: { view: upload(a), rowStride: shape.k, strides: [3 * size, size] },
        b: { view: upload(b), rowStride: shape.k },
        c: { view: c, rowStride: shape.n, strides: [3 * shape.m * shape.n, shape.m * shape.n] },
        problems: [2, 3],
      });
      const together = await download(c);
      for (let problem = 0; problem < 6; problem++) {
        const own = a.slice(problem * size, (problem + 1) * size);
        const alone = expected("nt", shape, own, b, undefined, undefined, () => [0, shape.k]);
        assert.deepEqual(bits(together.slice(problem * alone.length, (problem + 1) * alone.length)), bits(alone));
      }
    }),
});

Deno.test({
  name: "matmul() refuses operands that are shorter than it would read",
  ignore: !hasCompiler,
  fn: () =>
    withKernels(({ kernels, upload }) => {
      const enough = () => upload(new Float32Array(64), "enough"), short = () => upload(new Float32Array(63), "short");
      const matmul = (a = enough(), b = enough(), c = enough()) =>
        kernels.matmul({
          layout: "nn",
          m: 8,
          n: 8,
          k: 8,
          a: { view: a, rowStride: 8 },
          b: { view: b, rowStride: 8 },
          c: { view: c, rowStride: 8 },
        });
      matmul();
      assert.throws(() => matmul(short()), /"short" has 252 bytes, and a kernel needs 256/);
      assert.throws(() => matmul(undefined, short()), /"short"/);
      assert.throws(() => matmul(undefined, undefined, short()), /"short"/);
      return Promise.resolve();
    }),
});

Deno.test("chooseTile() takes the largest tile that leaves enough blocks, by the shape alone", () => {
  const [large, medium, small] = TILES;
  assert.equal(chooseTile(8192, 4096, 1), large);
  assert.equal(chooseTile(1024, 1024, 1), medium);
  assert.equal(chooseTile(2048, 64, 64), medium);
  assert.equal(chooseTile(128, 128, 1), small);
  assert.equal(chooseTile(8, 8, 1000), small);
  assert.deepEqual(tileGrid(large, 129, 128), [2, 1]);
});
