/** Where the command line keeps things, and the engine that it starts. */
import { sha256 } from "../digest/sha256.ts";
import type { Engine } from "../engine/engine.ts";
import { createExactEngine } from "../engine/exact/engine.ts";
import type { KernelCache } from "../engine/kernel_cache.ts";
import { suggest, UserError } from "../errors.ts";
import { writeFileDurably } from "../files/durable.ts";

/** Prepared corpora, from one run to the next. */
export const DATA_CACHE = ".cache/data";
const KERNEL_CACHE = ".cache/kernels";
/** The signing key that is made on first use. */
export const DEFAULT_KEY = ".rewarm/signing-key.pem";
/** The scale that is run if none is named. */
export const DEFAULT_SCALE = "tiny";

/** Engines by name. */
export const ENGINES: readonly string[] = ["exact"];
/** The engine that is used if none is named. */
export const DEFAULT_ENGINE = "exact";

/** Compiled kernels in a folder, by the digest of their source. A file that cannot be used is compiled again. */
const kernelCache: KernelCache = {
  async get(digest) {
    try {
      const binary = await Deno.readFile(`${KERNEL_CACHE}/${digest}.wasm`);
      return WebAssembly.validate(binary) ? binary : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async put(digest, binary) {
    try {
      await writeFileDurably(`${KERNEL_CACHE}/${digest}.wasm`, binary);
    } catch (error) {
      // Where nothing may be written, kernels are compiled again the next time.
      if (!(error instanceof UserError && ["PERMISSION_DENIED", "READ_ONLY"].includes(error.code))) throw error;
    }
  },
};

/** Threads to train with: all the machine has, unless told otherwise. */
export function threadCount(wanted: number | undefined): number {
  const most = 64;
  const threads = wanted ?? Math.min(most, navigator.hardwareConcurrency);
  if (threads > most) {
    throw new UserError("TOO_MANY_THREADS", `--threads is ${threads}`, `the exact engine takes at most ${most}`);
  }
  return threads;
}

/**
 * Starts an engine by name.
 *
 * @throws {UserError} `UNKNOWN_ENGINE` with the nearest match
 */
export async function startEngine(name: string, threads: number, useCache = true): Promise<Engine> {
  if (!ENGINES.includes(name)) {
    throw new UserError("UNKNOWN_ENGINE", `Unknown engine "${name}"`, suggest(name, ENGINES));
  }
  return await createExactEngine({ threads, sha256, ...(useCache ? { cache: kernelCache } : {}) });
}
