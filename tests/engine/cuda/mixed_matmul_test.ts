/** The project's own matmuls on the stand-in, against float64. */
import assert from "node:assert/strict";
import type { MatmulShape } from "../../../src/engine/cuda/mixed/matmul.ts";
import { OwnMatmuls, ownMatmulWorkspaceBytes, splitOf } from "../../../src/engine/cuda/mixed/own_matmuls.ts";
import {
  assertClose,
  type Bench,
  digestOf,
  ignoreWithoutCompiler as ignore,
  ORDER_SEEDS,
  random,
  rounded,
  unitRoundoff,
  withBench,
} from "./mixed_fixture.ts";

interface Matmul {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  /** what stands in C before */
  readonly old: Float32Array<ArrayBuffer>;
}

function matmul({ m, n, k }: MatmulShape, { precision }: Bench): Matmul {
  return {
    a: rounded(random(m * k, 1), precision),
    b: rounded(random(n * k, 2), precision),
    old: random(m * n, 3),
  };
}

/** C in float64. */
function expected({ layout, m, n, k }: MatmulShape, { a, b, old }: Matmul, accumulate: boolean): Float64Array {
  return Float64Array.from({ length: m * n }, (_, index) => {
    const i = Math.floor(index / n), j = index % n;
    let sum = accumulate ? old[index] ?? NaN : 0;
    for (let p = 0; p < k; p++) {
      const left = a[layout === "tn" ? p * m + i : i * k + p] ?? NaN;
      const right = b[layout === "nt" ? j * k + p : p * n + j] ?? NaN;
      sum += left * right;
    }
    return sum;
  });
}

async function compute(bench: Bench, shape: MatmulShape, { a, b, old }: Matmul, accumulate: boolean) {
  const { m, n, output } = shape;
  const matmuls = new OwnMatmuls(bench.device, bench.kernels, bench.empty(Math.max(4, ownMatmulWorkspaceBytes(shape))));
  const c = accumulate ? bench.floats(old) : bench.empty(m * n * (output === "f32" ? 4 : 2));
  matmuls.run(shape, { a: bench.halves(a), b: bench.halves(b), c, accumulate });
  return output === "f32" ? await bench.readFloats(c) : await bench.readHalves(c);
}

const SHAPES: MatmulShape[] = [
  { layout: "nt", m: 130, n: 136, k: 40, output: "16" },
  { layout: "nt", m: 24, n: 8, k: 8, output: "f32" },
  { layout: "nt", m: 129, n: 64, k: 1032, output: "f32" },
  { layout: "nn", m: 131, n: 24, k: 136, output: "16" },
  { layout: "nn", m: 1, n: 264, k: 64, output: "16" },
  { layout: "tn", m: 136, n: 24, k: 77, output: "f32" },
  { layout: "tn", m: 8, n: 136, k: 1601, output: "f32" },
];

for (const precision of ["fp16", "bf16"] as const) {
  for (const shape of SHAPES) {
    const { layout, m, n, k, output } = shape;
    for (const accumulate of output === "f32" ? [false, true] : [false]) {
      const how = `${accumulate ? "C + " : ""}${layout} of ${m} × ${n} × ${k} in ${precision}, ${output}`;
      Deno.test({
        name: `OwnMatmuls.run() computes ${how}`,
        ignore,
        fn: () =>
          withBench({ precision }, async (bench) => {
            const given = matmul(shape, bench);
            const actual = await compute(bench, shape, given, accumulate);
            // Products of 16-bit factors are exact in f32; sums err like √k roundings of f32, and C once.
            const bound = 2 ** -24 * Math.sqrt(k) * 4 + (output === "16" ? unitRoundoff(precision) : 0);
            assertClose(how, actual, expected(shape, given, accumulate), bound);
          }),
      });
    }
  }
}

Deno.test("splitOf() splits only what is f32 and small, into whole steps of k", () => {
  assert.deepEqual(splitOf({ layout: "tn", m: 384, n: 128, k: 32768, output: "f32" }), { splits: 64, depth: 512 });
  assert.deepEqual(splitOf({ layout: "tn", m: 3072, n: 1024, k: 32768, output: "f32" }), { splits: 2, depth: 16384 });
  assert.deepEqual(splitOf({ layout: "tn", m: 50304, n: 1024, k: 8192, output: "f32" }), { splits: 1, depth: 8192 });
  assert.deepEqual(splitOf({ layout: "nn", m: 128, n: 128, k: 32768, output: "16" }), { splits: 1, depth: 32768 });
  assert.deepEqual(splitOf({ layout: "tn", m: 8, n: 8, k: 7, output: "f32" }), { splits: 1, depth: 32 });
});

Deno.test({
  name: "OwnMatmuls.run() refuses what its kernels do not cover and views that are too short",
  ignore,
  fn: () =>
    withBench({}, (bench) => {
      const matmuls = new OwnMatmuls(bench.device, bench.kernels, bench.empty(4));
      const operands = { a: bench.empty(128), b: bench.empty(128), c: bench.empty(256) };
      const run = (shape: MatmulShape, accumulate = false) => () => matmuls.run(shape, { ...operands, accumulate });
      const size = { m: 8, n: 8, k: 8 } as const;
      assert.throws(run({ ...size, layout: "nt", k: 12, output: "16" }), /multiples of 8$/);
      assert.throws(run({ ...size, layout: "nn", n: 12, output: "16" }), /multiples of 8$/);
      assert.throws(run({ ...size, layout: "tn", m: 12, output: "f32" }), /multiples of 8$/);
      assert.throws(run({ ...size, layout: "nt", output: "16" }, true), /must be f32$/);
      assert.throws(run({ ...size, layout: "nn", output: "f32" }), /16 bits wide$/);
      assert.throws(run({ ...size, layout: "nt", m: 16, output: "16" }), /has 128 bytes, and a kernel needs 256$/);
      return Promise.resolve();
    }),
});

Deno.test({
  name: "OwnMatmuls.run() gives the same bits whatever the order of threads and blocks",
  ignore,
  fn: async () => {
    for (const shape of SHAPES.filter(({ m, n, k }) => m * n * k < 1e6)) {
      const digests = new Set<string>();
      for (const seed of ORDER_SEEDS) {
        await withBench({ seed }, async (bench) => {
          digests.add(digestOf(await compute(bench, shape, matmul(shape, bench), shape.output === "f32")));
        });
      }
      assert.equal(digests.size, 1, JSON.stringify(shape));
    }
  },
});
