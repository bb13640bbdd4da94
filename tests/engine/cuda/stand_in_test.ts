/** The CPU stand-in computes what a GPU would, and finds what is wrong with a kernel. */
import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { UserError } from "../../../src/errors.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { buildStandIn } from "./stand_in/build.ts";
import { withFolder } from "../../temporary_folder.ts";
import { type Bench, ignoreWithoutCompiler, OBJECTS, TEST_KERNELS, withStandIn } from "./stand_in_fixture.ts";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: ignoreWithoutCompiler, fn: run });
}

/** Floats of magnitude up to 1 whose sums depend on their order. */
function irregular(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state / 2 ** 31 - 1) * 2 ** -(state >>> 8 & 15);
  });
}

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

// ---- Broken kernels ----

const RACES: readonly { kernel: string; grid: number; block: number; extra: readonly number[]; words: RegExp }[] = [
  {
    kernel: "missing_barrier",
    grid: 1,
    block: 128,
    extra: [1024],
    words:
      /thread \(127, 0, 0\): reads 4 bytes; at offset 0 of .* 1024 bytes of dynamic shared memory, which thread 0 wrote/,
  },
  {
    kernel: "sum_across_blocks",
    grid: 64,
    block: 1,
    extra: [],
    words:
      /block \(1, 0, 0\).*reads 4 bytes; .* 0 bytes into the allocation of 512 bytes .* thread 0 of block 0 wrote in/,
  },
  {
    kernel: "missing_second_barrier",
    grid: 1,
    block: 128,
    extra: [8],
    words: /writes 4 bytes; .* which thread \d+ read with no barrier between/,
  },
  {
    kernel: "missing_warp_barrier",
    grid: 1,
    block: 32,
    extra: [],
    words: /thread \(1, 0, 0\): writes 4 bytes; .* which thread 0 read with no barrier between/,
  },
  {
    kernel: "missing_copy_wait",
    grid: 1,
    block: 32,
    extra: [],
    words: /reads 4 bytes; .* where a copy is under way that was not waited for/,
  },
];

for (const { kernel: name, grid, block, extra, words: found } of RACES) {
  test(`eight seeds give different results when a kernel is broken by ${name}`, () =>
    withStandIn("racing", async ({ device, controls, kernel, upload, words }) => {
      const [x, y] = [upload(irregular(1024)), device.allocate(512, "y")];
      controls.workers(1);
      const digests = new Set<string>();
      for (let seed = 0; seed < 8; seed++) {
        controls.seed(seed);
        device.fill32(y, 0);
        device.launch(kernel(name), { grid, block, sharedBytes: 1024 }, y, x, ...extra);
        digests.add(sha256(new Uint8Array((await words(y)).buffer)));
      }
      assert(digests.size > 1, "all seeds agree");
    }));

  test(`the checked stand-in names the race in one run when a kernel is broken by ${name}`, () =>
    withStandIn("racing", async (bench) => {
      const { device, upload } = bench;
      const [x, y] = [upload(irregular(1024)), device.allocate(512, "y")];
      device.fill32(y, 0);
      assert.match(await failure(bench, name, { grid, block, sharedBytes: 1024 }, y, x, ...extra), found);
    }, "checked"));
}

test("the checked stand-in finds nothing when kernels are correct", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, words }) => {
    const values = Uint32Array.from({ length: 128 * 9 }, (_, i) => i);
    const [x, y] = [upload(values), device.allocate(values.byteLength, "y")];
    const small = { grid: 1, block: 32, sharedBytes: 768 };
    for (let seed = 0; seed < 8; seed++) {
      controls.seed(seed);
      device.launch(kernel("row_sum"), { grid: 9, block: 128, sharedBytes: 16 }, y, x, 128);
      device.launch(kernel("axpy"), { grid: 9, block: 128 }, y, x, 1, 128 * 9);
      device.launch(kernel("exchange"), { grid: 1, block: 32 }, y, x);
      device.launch(kernel("tile_f16"), small, y, x, x);
      device.launch(kernel("tile_by_load_matrix"), small, y, x, x);
      device.launch(kernel("load_matrices"), small, y, x);
      device.launch(kernel("pipeline"), { grid: 1, block: 128, sharedBytes: 1024 }, y, x, 128 * 9);
      device.launch(kernel("reverse"), { grid: 4, block: 256 }, y);
      await device.synchronize();
    }
    assert.equal(controls.launches, 8);
    assert.equal((await words(y))[255], 2);
  }, "checked"));

test("a seed gives the same order again when CPU threads vary", () =>
  withStandIn("racing", async ({ device, controls, kernel, upload, words }) => {
    const [x, y] = [upload(irregular(1024)), device.allocate(512, "y")];
    const run = async (seed: number, workers: number) => {
      controls.workers(workers);
      controls.seed(seed);
      device.launch(kernel("missing_barrier"), { grid: 1, block: 128, sharedBytes: 1024 }, y, x, 1024);
      return (await words(y))[0];
    };
    for (const seed of [0, 1, 2, 3]) assert.equal(await run(seed, 2), await run(seed, 1));
  }));

/** Starts a kernel, and gives the status' name and the stand-in's words. */
async function failure(
  { device, controls, kernel }: Bench,
  name: string,
  shape: { grid: number; block: number; sharedBytes?: number },
  ...args: Parameters<typeof device.launch> extends [unknown, unknown, ...infer A] ? A : never
): Promise<string> {
  let message = "nothing failed";
  try {
    device.launch(kernel(name), shape, ...args);
    await device.synchronize();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    message = error.message;
  }
  return `${message}; ${controls.lastProblem}`;
}

const FAULTS: readonly {
  what: string;
  kernel: string;
  args: (number | "y" | "small")[];
  found: RegExp;
  variant?: "checked";
  sharedBytes?: number;
}[] = [
  {
    what: "a barrier is not reached by all threads",
    kernel: "barrier_in_branch",
    args: ["y"],
    found:
      /CUDA_ERROR_LAUNCH_FAILED.*"barrier_in_branch", block \([01], 0, 0\).*faulty\.cu:6 was reached by 48 of 64 threads/,
  },
  {
    what: "threads wait at different barriers",
    kernel: "different_barriers",
    args: ["y"],
    found: /CUDA_ERROR_LAUNCH_FAILED.*different barriers, faulty\/faulty\.cu:1[24] and faulty\/faulty\.cu:1[24]/,
  },
  {
    what: "a lane is missing at a shuffle",
    kernel: "shuffle_in_branch",
    args: ["y"],
    found: /CUDA_ERROR_LAUNCH_FAILED.*faulty\.cu:21 was reached by 31 of the 32 lanes of warp 0/,
  },
  {
    what: "lanes meet in different operations",
    kernel: "different_warp_operations",
    args: ["y"],
    found: /CUDA_ERROR_LAUNCH_FAILED.*meet in different operations at faulty\/faulty\.cu:2[79]/,
  },
  {
    what: "a kernel traps",
    kernel: "trap_at",
    args: ["y", 1, 3],
    found: /CUDA_ERROR_LAUNCH_FAILED.*block \(1, 0, 0\), thread \(3, 0, 0\).*__trap\(\) at faulty\/faulty\.cu:34/,
  },
  {
    what: "a read is beyond an allocation",
    kernel: "read_at",
    args: ["y", "y", 64 * 64],
    found: /CUDA_ERROR_ILLEGAL_ADDRESS.*"read_at".*15872 bytes after the end of the allocation of 512 bytes/,
  },
  {
    what: "a pointer is wild",
    kernel: "read_at",
    args: ["y", "y", 2 ** 40],
    found: /CUDA_ERROR_ILLEGAL_ADDRESS.*illegal address/,
  },
  {
    what: "a write is before an allocation",
    kernel: "write_at",
    args: ["y", -1],
    found: /CUDA_ERROR_ILLEGAL_ADDRESS.*something was written 4 bytes before the allocation of 512 bytes/,
  },
  {
    what: "dynamic shared memory is too small",
    kernel: "write_shared_at",
    args: ["y", 16],
    sharedBytes: 64,
    found:
      /CUDA_ERROR_ILLEGAL_ADDRESS.*"write_shared_at".*0 bytes after the end of the block's 64 bytes of dynamic shared memory/,
  },
  {
    what: "an integer is divided by zero",
    kernel: "divide",
    args: ["y", 0],
    found: /CUDA_ERROR_LAUNCH_FAILED.*division by zero/,
  },
  {
    what: "a thread's stack is too deep",
    kernel: "overflow_stack",
    args: ["y", 1000],
    found: /CUDA_ERROR_ILLEGAL_ADDRESS.*the stack of the thread/,
  },
  {
    what: "a write hits the slack after an allocation",
    kernel: "write_at",
    args: ["small", 125],
    variant: "checked",
    found:
      /ILLEGAL_ADDRESS.*"write_at".*writes 4 bytes; illegal address: 0x\w+, 0 bytes after the end of the allocation of 500 bytes/,
  },
  {
    what: "a read is before an allocation",
    kernel: "read_before",
    args: ["y", "small"],
    variant: "checked",
    found:
      /ILLEGAL_ADDRESS.*"read_before".*reads 4 bytes; illegal address: 0x\w+, 4 bytes before the allocation of 500 bytes/,
  },
  {
    what: "shared memory is overrun within its alignment",
    kernel: "write_shared_at",
    args: ["y", 15],
    sharedBytes: 60,
    variant: "checked",
    found:
      /ILLEGAL_ADDRESS.*writes 4 bytes; illegal address: 0 bytes after the end of the block's 60 bytes of dynamic shared memory/,
  },
  {
    what: "shared memory is underrun",
    kernel: "write_shared_at",
    args: ["y", -1],
    sharedBytes: 64,
    variant: "checked",
    found:
      /ILLEGAL_ADDRESS.*writes 4 bytes; illegal address: 4 bytes before the begin of the block's 64 bytes of dynamic shared memory/,
  },
  {
    what: "a vector is read at a misaligned address",
    kernel: "read_float4_at",
    args: ["y", "y", 1],
    variant: "checked",
    found: /CUDA_ERROR_LAUNCH_FAILED.*misaligned/,
  },
];

for (const { what, kernel, args, found, variant, sharedBytes = 0 } of FAULTS) {
  test(`a launch fails with words, and the next device works, when ${what}`, async () => {
    for (const seed of [0, 1]) {
      await withStandIn("faulty", async (bench) => {
        bench.controls.seed(seed);
        const y = bench.device.allocate(512, "y");
        const small = bench.device.allocate(500, "small");
        const given = args.map((argument) => argument === "y" ? y : argument === "small" ? small : argument);
        assert.match(await failure(bench, kernel, { grid: 2, block: 64, sharedBytes }, ...given), found);
        assert.match(await failure(bench, "divide", { grid: 1, block: 32 }, y, 1), /CUDA_ERROR/, "it stays unusable");
      }, variant);
    }
  });
}

test("a write beyond an allocation is found at the next wait when it hits the alignment's slack", () =>
  withStandIn("faulty", async (bench) => {
    const y = bench.device.allocate(500, "y");
    const found = await failure(bench, "write_at", { grid: 1, block: 1 }, y, 126);
    assert.match(found, /something was written 4 bytes after the end of the allocation of 500 bytes/);
  }));

test("memory that was freed faults, and memory that was not written is no number, when a kernel reads it", () =>
  withStandIn("faulty", async (bench) => {
    const { device, kernel, floats } = bench;
    const [x, y] = [device.allocate(4096, "x"), device.allocate(256, "y")];
    device.launch(kernel("read_at"), { grid: 1, block: 64 }, y, x, 5);
    assert((await floats(y)).every((value) => Number.isNaN(value) || Math.abs(value) > 1e30));
    device.free(x);
    const stale = { ...y, address: x.address };
    assert.match(
      await failure(bench, "read_at", { grid: 1, block: 64 }, y, stale, 5),
      /20 bytes into the freed allocation/,
    );
  }));

// ---- The driver's rules ----

test("allocate() names what did not fit when the stand-in's memory is limited", () =>
  withStandIn("probe", ({ device, controls }) => {
    controls.memory(2 ** 20);
    const most = device.allocate(2 ** 19, "half");
    assert.equal(device.freeMemory(), 2 ** 19);
    assert.throws(() => device.allocate(2 ** 19 + 1, "too much"), { code: "OUT_OF_DEVICE_MEMORY" });
    device.free(most);
    assert.equal(device.freeMemory(), 2 ** 20);
    return Promise.resolve();
  }));

test("work is done only when something waits for it when there is a seed", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    const n = 64;
    const [x, y] = [upload(new Float32Array(n).fill(2)), upload(new Float32Array(n).fill(1))];
    const pinned = device.pin(n * 4, "staging");
    const staged = new Float32Array(pinned.bytes.buffer, pinned.bytes.byteOffset, n);
    controls.seed(1);
    staged.fill(3);
    device.uploadPinned(x, pinned);
    device.launch(kernel("axpy"), { grid: 1, block: n }, y, x, 10, n);
    assert.equal(controls.launches, 0);
    staged.fill(4); // too early: the copy has not been waited for, and so sees this
    assert.deepEqual(await floats(y), new Float32Array(n).fill(41));
    assert.equal(controls.launches, 1);
  }));

test("a graph repeats its launches with the arguments they were captured with when it is launched", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    for (const seed of [0, 1]) {
      controls.seed(seed);
      const n = 64;
      const [x, y] = [upload(new Float32Array(n).fill(2)), upload(new Float32Array(n).fill(1))];
      const axpy = kernel("axpy");
      const graph = device.capture(() => {
        device.launch(axpy, { grid: 1, block: n }, y, x, 10, n);
        device.launch(axpy, { grid: 1, block: n }, y, x, 100, n);
      });
      assert.deepEqual(await floats(y), new Float32Array(n).fill(1));
      device.launch(axpy, { grid: 1, block: n }, y, x, 0, n);
      graph.launch();
      graph.launch();
      assert.deepEqual(await floats(y), new Float32Array(n).fill(441));
    }
  }));

test("allocating and waiting fail when a stream is captured", () =>
  withStandIn("probe", ({ device }) => {
    assert.throws(() => device.capture(() => device.allocate(4, "inside")));
    return Promise.resolve();
  }));

test("synchronize() goes on by polling when waits need a context that their thread has not", () =>
  withStandIn("probe", async ({ device, controls, kernel, upload, floats }) => {
    controls.waitsNeedContext(true);
    controls.seed(1);
    const [x, y] = [upload(new Float32Array([2])), upload(new Float32Array([1]))];
    device.launch(kernel("axpy"), { grid: 1, block: 1 }, y, x, 10, 1);
    await device.synchronize();
    assert.equal(controls.launches, 1);
    assert.deepEqual(await floats(y), new Float32Array([21]));
  }));

test("launches are refused when a block is beyond the kernel's bounds, or wants more shared memory than allowed", () =>
  withStandIn("probe", (bench) => {
    const { device, kernel } = bench;
    const y = device.allocate(4096, "y");
    assert.throws(() => device.launch(kernel("row_sum"), { grid: 1, block: 512 }, y, y, 1), /512/);
    assert.throws(() => device.launch(kernel("row_sum"), { grid: 0, block: 32 }, y, y, 1), RangeError);
    assert.throws(
      () => device.launch(kernel("row_sum"), { grid: 1, block: 32, sharedBytes: 300_000 }, y, y, 1),
      /300000/,
    );
    device.launch(kernel("row_sum"), { grid: 1, block: 32, sharedBytes: 200_000 }, y, y, 1);
    return Promise.resolve();
  }));

test("load() and kernel() fail with words when the image is foreign or stale, or a kernel is unknown", () =>
  withStandIn("probe", ({ device, kernel }) => {
    const image = (text: string) => new TextEncoder().encode(text);
    assert.throws(() => device.load(image("\x7fELF")), /no image of the stand-in/);
    const stale = `rewarm stand-in image of probe ${"0".repeat(64)}\n`;
    assert.throws(() => device.load(image(stale)), /of other sources than the stand-in: build it again/);
    assert.throws(() => kernel("no_such_kernel"), /CUDA_ERROR_NOT_FOUND/);
    return Promise.resolve();
  }));

// ---- Building ----

test("buildStandIn() compiles nothing again when nothing changed, and a stand-in may have one unit twice", async () => {
  const units = [
    { name: "probe", definitions: { VARIANT: 1 } },
    { name: "probe", definitions: { VARIANT: 2 } },
    "racing",
  ];
  const folder = ".cache/stand_in/tests-twice";
  const options = { units, kernels: TEST_KERNELS, objects: OBJECTS };
  const first = await buildStandIn(folder, options);
  assert.deepEqual(first.units.map(({ name }) => name), ["probe", "probe", "racing"]);
  assert.notEqual(first.units[0]?.digest, first.units[1]?.digest);
  assert.equal((await buildStandIn(folder, options)).compiled, 0);
});

test("a process can load forty stand-ins when each has kernels of its own", () =>
  withFolder(async (folder) => {
    const { folder: built } = await buildStandIn(".cache/stand_in/tests-twice", {
      units: ["racing"],
      kernels: TEST_KERNELS,
      objects: OBJECTS,
    });
    for (let i = 0; i < 40; i++) {
      await Deno.mkdir(`${folder}/${i}`);
      await Deno.copyFile(`${built}/libcuda.so.1`, `${folder}/${i}/libcuda.so.1`);
      const device = Device.open({ libraryFolders: [`${folder}/${i}`], onlyThere: true });
      assert.equal(device.driverPath, `${folder}/${i}/libcuda.so.1`);
      device.close();
    }
  }));
