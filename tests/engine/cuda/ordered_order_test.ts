/** No kernel's result may depend on the order in which blocks and threads run. */
import assert from "node:assert/strict";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { EXTENT, type MatmulLayout } from "../../../src/engine/cuda/ordered/kernels.ts";
import { TILES } from "../../../src/engine/cuda/ordered/matmul_tile.ts";
import { OrderedSession } from "../../../src/engine/cuda/ordered/session.ts";
import { digestOf, LEARNING_RATE, loadWeights, randomTokens, randomWeights, smallTraining } from "../fixture.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { forEachOrder, hasCompiler, type KernelBench, withKernels } from "./ordered_fixture.ts";

const SEEDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Training that launches every kernel but the larger tiles. */
async function trainOnce({ device, kernels }: KernelBench): Promise<string> {
  const training = smallTraining({ sequenceLength: 72 }, 6, 2);
  const session = new OrderedSession(device, kernels, training);
  await loadWeights(session, randomWeights(training.model));
  const results = [];
  for (let step = 0; step < 2; step++) {
    results.push(await session.step(randomTokens(training.model, 6, step), LEARNING_RATE, step));
  }
  results.push(await session.evaluate(randomTokens(training.model, 3)), digestOf(await session.readState()));
  session.close();
  return sha256(JSON.stringify(results));
}

/** Every tile of every layout, with edges. */
async function multiplyOnce({ kernels, upload, download }: KernelBench): Promise<string> {
  const m = 136, n = 136, k = 24;
  const values = randomWeights(smallTraining({ vocabularySize: 1024 }).model);
  const digests: string[] = [];
  for (const layout of ["nt", "nn", "tn"] satisfies MatmulLayout[]) {
    for (const tile of TILES) {
      const c = upload(new Float32Array(m * n));
      kernels.matmul({
        layout,
        m,
        n,
        k,
        a: { view: upload(values.slice(0, m * k)), rowStride: layout === "tn" ? m : k },
        b: { view: upload(values.slice(m * k, m * k + k * n)), rowStride: layout === "nt" ? k : n },
        c: { view: c, rowStride: n },
        extent: EXTENT.full,
        tile,
      });
      const result = await download(c);
      digests.push(sha256(new Uint8Array(result.buffer)));
    }
  }
  return digests.join(" ");
}

Deno.test({
  name: `every kernel of the ordered mode gives the same bits in ${SEEDS.length} orders of blocks and threads`,
  ignore: !hasCompiler,
  fn: async () => {
    const outcomes = new Map<number, string>();
    const used = new Set<string>();
    await forEachOrder(SEEDS, (seed) =>
      withKernels(async (bench) => {
        outcomes.set(seed, `${await trainOnce(bench)} ${await multiplyOnce(bench)}`);
        for (const name of bench.used) used.add(name);
      }));
    assert.equal(new Set(outcomes.values()).size, 1, JSON.stringify([...outcomes]));
    assert.deepEqual([...used].sort(), [...(await readKernelUnit("ordered")).kernels.keys()].sort());
  },
});
