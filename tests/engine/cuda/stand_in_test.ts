/** The CPU stand-in computes what a GPU would. */
import assert from "node:assert/strict";
import { irregular, test, withStandIn } from "./stand_in_fixture.ts";

/** What `row_sum` is defined to give. */
function rowSum(row: Float32Array, threads: number): number {
  const sums = Float32Array.from({ length: threads }, (_, t) => {
    let sum = Math.fround(0);
    for (let i = t; i < row.length; i += threads) sum = Math.fround(sum + (row[i] ?? NaN));
    return sum;
  });
  for (let distance = 16; distance >= 1; distance /= 2) {
    const before = sums.slice();
    before.forEach((own, t) => sums[t] = Math.fround(own + (before[t ^ distance] ?? NaN)));
  }
  let total = Math.fround(0);
  for (let t = 0; t < threads; t += 32) total = Math.fround(total + (sums[t] ?? NaN));
  return total;
}

test("the stand-in gives the sums that a kernel defines when CPU threads, blocks and seeds vary", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    const [rows, columns] = [37, 1000];
    const x = irregular(rows * columns);
    const [dx, dy] = [upload(x), device.allocate(rows * 4, "y")];
    for (const threads of [32, 64, 256]) {
      const expected = Array.from(
        { length: rows },
        (_, r) => rowSum(x.subarray(r * columns, (r + 1) * columns), threads),
      );
      for (const [workers, seed] of [[1, 0], [2, 0], [5, 0], [1, 1], [2, 1], [3, 2]] as const) {
        controls.workers(workers);
        controls.seed(seed);
        device.fill32(dy, 0);
        device.launch(kernel("row_sum"), { grid: rows, block: threads, sharedBytes: threads / 8 }, dy, dx, columns);
        assert.deepEqual(Array.from(await floats(dy)), expected);
      }
    }
  }));

test("the stand-in numbers blocks and threads as CUDA does when a grid has three dimensions", () =>
  withStandIn("probe", async ({ device, kernel, words }) => {
    const out = device.allocate(2 * 3 * 4 * 5 * 16, "positions");
    device.launch(kernel("positions"), { grid: [2, 3, 4], block: 5 }, out);
    const expected: number[] = [];
    for (let z = 0; z < 4; z++) {
      for (let y = 0; y < 3; y++) for (let x = 0; x < 2; x++) for (let t = 0; t < 5; t++) expected.push(x, y, z, t);
    }
    assert.deepEqual(Array.from(await words(out)), expected);
  }));

test("the stand-in gives each block its own static shared memory when blocks run at once", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, words }) => {
    for (const seed of [0, 1, 2]) {
      controls.seed(seed);
      const y = upload(Uint32Array.from({ length: 50 * 256 }, (_, i) => i));
      device.launch(kernel("reverse"), { grid: 50, block: 256 }, y);
      assert.deepEqual(
        Array.from(await words(y)),
        Array.from({ length: 50 * 256 }, (_, i) => (i & ~255) + 255 - (i & 255)),
      );
    }
  }));

test("the lanes of a warp exchange what CUDA's manual says when each function is called", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, words }) => {
    const input = Uint32Array.from({ length: 32 }, (_, i) => 2 * i + 1);
    const value = (lane: number) => 2 * lane + 1;
    const ballot = input.reduce((bits, v, lane) => v % 3 === 0 ? (bits | 1 << lane) >>> 0 : bits, 0);
    const floatBits = (v: number) => new Uint32Array(new Float32Array([v]).buffer)[0];
    const expected: ((lane: number) => number | undefined)[] = [
      () => value(5),
      (lane) => value(lane ^ 3),
      (lane) => value(lane < 28 ? lane + 4 : lane),
      (lane) => value(lane >= 4 ? lane - 4 : lane),
      () => ballot,
      () => 1,
      () => 1,
      (lane) => floatBits(value(lane ^ 1)),
      (lane) => -value(lane ^ 16) >>> 0,
      () => 0,
      () => 1,
      () => 0,
    ];
    const out = device.allocate(expected.length * 128, "out");
    for (const seed of [0, 1, 2, 3]) {
      controls.seed(seed);
      device.launch(kernel("exchange"), { grid: 1, block: 32 }, out, upload(input));
      const got = await words(out);
      expected.forEach((row, i) => {
        assert.deepEqual(
          Array.from(got.subarray(32 * i, 32 * i + 32)),
          Array.from({ length: 32 }, (_, l) => row(l)),
          `row ${i}`,
        );
      });
    }
  }));

/** bf16 by rounding the exact value, apart from the bit tricks that kernels use. */
function toBf16(value: number): number {
  const word = new Uint32Array(new Float32Array([value]).buffer)[0] ?? 0;
  if (Number.isNaN(value)) return 0x7fff;
  const [low, high] = [word >>> 16, (word >>> 16) + 1];
  const rest = word & 0xffff;
  return rest > 0x8000 || (rest === 0x8000 && low % 2 === 1) ? high : low;
}

/** f32 at and around every boundary: each f16 and its neighbours' midpoints, and the extremes. */
function boundaries(): Float32Array<ArrayBuffer> {
  const halves = new Float16Array(Uint16Array.from({ length: 0x7c00 }, (_, i) => i).buffer);
  const values: number[] = [];
  for (let i = 0; i + 1 < halves.length; i++) {
    const [a = 0, b = 0] = [halves[i], halves[i + 1]];
    values.push(
      a,
      Math.fround((a + b) / 2),
      Math.fround((a + b) / 2 * (1 + 2 ** -22)),
      -Math.fround((a + b) / 2 * (1 - 2 ** -23)),
    );
  }
  values.push(
    65504,
    65519,
    65520,
    65536,
    3.4e38,
    Infinity,
    -Infinity,
    NaN,
    -0,
    2 ** -24,
    2 ** -25,
    2 ** -26,
    2 ** -149,
    1e-40,
  );
  for (let i = 0; i < 4096; i++) values.push(Math.fround((1 + i / 4096) * 2 ** (i % 250 - 125)));
  if (values.length % 2 === 1) values.push(0);
  return Float32Array.from(values);
}

test("numbers of 16 bits are rounded to nearest even when they are at and beside every boundary", () =>
  withStandIn("probe", async ({ device, kernel, upload, floats, words }) => {
    const values = boundaries();
    const n = values.length;
    const [input, out] = [upload(values), device.allocate(n * 2, "16-bit")];
    const shape = { grid: Math.ceil(n / 256), block: 256 };
    const halves = async () => new Uint16Array((await words(out)).buffer);

    device.launch(kernel("to_f16"), shape, out, input, n);
    const f16 = new Uint16Array(new Float16Array(values).buffer);
    assert.deepEqual(await halves(), f16.map((bits, i) => Number.isNaN(values[i]) ? 0x7fff : bits));

    device.launch(kernel("to_bf16"), shape, out, input, n);
    assert.deepEqual(await halves(), Uint16Array.from(values, toBf16));

    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const wide = device.allocate(65536 * 4, "f32");
    device.launch(kernel("from_f16"), { grid: 256, block: 256 }, wide, upload(all), 65536);
    assert.deepEqual(Array.from(await floats(wide)), Array.from(new Float16Array(all.buffer)));
    device.launch(kernel("from_bf16"), { grid: 256, block: 256 }, wide, upload(all), 65536);
    assert.deepEqual(
      Array.from(await floats(wide)),
      Array.from(new Float32Array(Uint32Array.from(all, (bits) => bits << 16).buffer)),
    );

    const [pairsF16, pairsBf16] = [device.allocate(n * 4, "f16"), device.allocate(n * 4, "bf16")];
    device.launch(kernel("pairs"), shape, pairsF16, pairsBf16, input, n);
    assert.deepEqual(Array.from(await floats(pairsF16)), Array.from(new Float16Array(values)));
    assert.deepEqual(
      Array.from(await floats(pairsBf16)),
      Array.from(new Float32Array(Uint32Array.from(values, (value) => toBf16(value) << 16).buffer)),
    );
  }));

test("a tile product is the matmul when fragments are loaded directly, by ldmatrix, and transposed", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats, words }) => {
    // Small integers: every product and sum is exact, in whatever order.
    const a = Array.from({ length: 16 }, (_, i) => Array.from({ length: 16 }, (_, k) => (i * 5 + k * 3) % 11 - 5));
    const b = Array.from({ length: 16 }, (_, k) => Array.from({ length: 8 }, (_, j) => (k * 7 + j * 2) % 13 - 6));
    const expected = a.flatMap((row) =>
      Array.from({ length: 8 }, (_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] ?? NaN), 1))
    );
    const transposed = Array.from({ length: 8 }, (_, j) => b.map((row) => row[j] ?? NaN));
    const f16 = (matrix: number[][]) => upload(new Float16Array(matrix.flat()));
    const bf16 = (matrix: number[][]) => upload(Uint16Array.from(matrix.flat(), toBf16));
    const d = device.allocate(16 * 8 * 4, "D");
    for (const seed of [0, 1, 2, 3]) {
      controls.seed(seed);
      device.launch(kernel("tile_f16"), { grid: 1, block: 32 }, d, f16(a), f16(transposed));
      assert.deepEqual(Array.from(await floats(d)), expected);
      device.launch(kernel("tile_bf16"), { grid: 1, block: 32 }, d, bf16(a), bf16(transposed));
      assert.deepEqual(Array.from(await floats(d)), expected);
      device.launch(kernel("tile_by_load_matrix"), { grid: 1, block: 32, sharedBytes: 768 }, d, f16(a), f16(b));
      assert.deepEqual(Array.from(await floats(d)), expected);
    }
    // Matrix i has rows 8i to 8i + 7 of (32, 8); element (r, c) is 8r + c.
    const out = device.allocate(6 * 128, "fragments");
    device.launch(
      kernel("load_matrices"),
      { grid: 1, block: 32, sharedBytes: 512 },
      out,
      upload(Uint16Array.from({ length: 256 }, (_, i) => i)),
    );
    const got = await words(out);
    for (let lane = 0; lane < 32; lane++) {
      const [g, q] = [lane >> 2, lane & 3];
      for (let j = 0; j < 4; j++) {
        const low = 64 * j + 8 * (2 * q) + g;
        assert.equal(got[j * 32 + lane], low | low + 8 << 16);
      }
      for (let j = 0; j < 2; j++) {
        const low = 64 * j + 8 * g + 2 * q;
        assert.equal(got[(4 + j) * 32 + lane], low | low + 1 << 16);
      }
    }
  }));

test("asynchronous copies arrive by the time they are waited for when they come early or late", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, words }) => {
    const n = 128 * 9;
    const [x, y] = [upload(Uint32Array.from({ length: n }, (_, i) => i * i)), device.allocate(n * 4, "y")];
    for (let seed = 0; seed < 8; seed++) {
      controls.seed(seed);
      device.fill32(y, 0);
      device.launch(kernel("pipeline"), { grid: 1, block: 128, sharedBytes: 1024 }, y, x, n);
      assert.deepEqual(
        Array.from(await words(y)),
        Array.from({ length: n }, (_, i) => ((i & ~127) + (i + 1 & 127)) ** 2 + 1),
      );
    }
  }));
