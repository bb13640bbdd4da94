/** The smoke scale as tests run it: real data, real engine, a temporary folder. */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { KernelCache } from "../../src/engine/kernel_cache.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import type { ReproduceOptions, Reproduction } from "../../src/reproduce/options.ts";
import { reproduce } from "../../src/reproduce/reproduce.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

/**
 * What every machine must find at the smoke scale. A change of arithmetic, data, experiments or checkpoint steps changes
 * it; nothing else may. The digest with the journals' roots moves with the version of the journal's format too.
 */
export const GOLDEN = {
  arithmetic: "ordered-f32/1",
  states: "7983a96a229672f960e6287aaca0e14d149d1f1bcd41204a039a7ff5388718a8",
  digest: "390687c15bbccb29fd25013cbef13a24c06c70030abbd6ffbca86509dd02e9ec",
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
  return sha256(results.map((result) => lineOf(result, true)).join("\n"));
}

/** The same without the journals' roots: what the weights and moments are, whatever form the journals have. */
export function statesDigestOf({ results }: Pick<Reproduction, "results">): string {
  return sha256(results.map((result) => lineOf(result, false)).join("\n"));
}

function lineOf(result: Reproduction["results"][number], withRoot: boolean): string {
  if (result.kind === "skipped") return `${result.run.key} skipped`;
  const { key, steps, journalRoot, states } = result.record;
  const recorded = states.map(({ step, state }) => `${step}:${state}`);
  return [key, steps, ...(withRoot ? [journalRoot] : []), ...recorded].join(" ");
}
