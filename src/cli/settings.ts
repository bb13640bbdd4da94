/** Where the command line keeps things. */
import type { KernelCache } from "../engine/kernel_cache.ts";
import { UserError } from "../errors.ts";
import { writeFileDurably } from "../files/durable.ts";

/** Prepared corpora, from one run to the next. */
export const DATA_CACHE = ".cache/data";
const KERNEL_CACHE = ".cache/kernels";
/** The signing key that is made on first use. */
export const DEFAULT_KEY = ".rewarm/signing-key.pem";
/** The scale that is run if none is named. */
export const DEFAULT_SCALE = "tiny";

/** Compiled kernels in a folder, by the digest of their source. A file that cannot be used is compiled again. */
export const kernelCache: KernelCache = {
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
