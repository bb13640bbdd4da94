/** Where the command line keeps things. */
import type { KernelCache } from "../engine/kernel_cache.ts";
import { kernelFolder } from "../files/kernel_folder.ts";

/** Prepared corpora, from one run to the next. */
export const DATA_CACHE = ".cache/data";
const KERNEL_CACHE = ".cache/kernels";
/** The signing key that is made on first use. */
export const DEFAULT_KEY = ".rewarm/signing-key.pem";
/** The scale that is run if none is named. */
export const DEFAULT_SCALE = "tiny";

/** Compiled kernels, from one run to the next. */
export const kernelCache: KernelCache = kernelFolder(KERNEL_CACHE);
