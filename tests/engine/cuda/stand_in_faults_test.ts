/** The CPU stand-in finds what is wrong with a kernel: races, and memory that it must not touch. */
import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { UserError } from "../../../src/errors.ts";
import { type Bench, irregular, test, withStandIn } from "./stand_in_fixture.ts";

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
