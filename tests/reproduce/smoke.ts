/** The smoke scale as tests run it: real data, real engine, a temporary folder. */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { KernelCache } from "../../src/engine/kernel_cache.ts";
import { generateSigningKey } from "../../src/manifest/keys.ts";
import type { ReproduceOptions, Reproduction } from "../../src/reproduce/options.ts";
import { reproduce } from "../../src/reproduce/reproduce.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan_fixture.ts";

/**
 * What every machine must find at the smoke scale. A change of arithmetic, data, experiments or checkpoint steps changes
 * it; nothing else may.
 */
export const GOLDEN = {
  arithmetic: "ordered-f32/1",
  digest: "60f08dd2f0c9a73120939f28c88ca64f8ff51cf27d0403a69fc2caca42ae0e5a",
};

/** Kernels are compiled once for all tests of a process. */
const compiled = new Map<string, Uint8Array<ArrayBuffer>>();
export const kernelCache: KernelCache = {
  get: (digest) => Promise.resolve(compiled.get(digest)),
  put: (digest, binary) => {
    compiled.set(digest, binary);
    return Promise.resolve();
  },
};

/** Prepared corpora are shared by all tests. */
export const DATA_CACHE = ".cache/data";

/** Reproduces the smoke scale into a folder. */
export async function reproduceSmoke(
  output: string,
  threads: number,
  options: Partial<ReproduceOptions> = {},
): Promise<Reproduction> {
  const engine = await createExactEngine({ threads, sha256, cache: kernelCache });
  return await reproduce({
    ...FIXTURE_CATALOGUE,
    scale: "smoke",
    engine,
    threads,
    output,
    dataCache: DATA_CACHE,
    signingKey: generateSigningKey,
    ...options,
  });
}

/** One digest over all that training left: keys, journals' roots and state digests, in the order of the plan. */
export function digestOf({ results }: Pick<Reproduction, "results">): string {
  return sha256(
    results.map((result) => {
      if (result.kind === "skipped") return `${result.run.key} skipped`;
      const { key, steps, journalRoot, states } = result.record;
      return [key, steps, journalRoot, ...states.map(({ step, state }) => `${step}:${state}`)].join(" ");
    }).join("\n"),
  );
}
