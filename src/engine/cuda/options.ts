/** What both modes of the CUDA engine are told. */
import type { KernelCache } from "../kernel_cache.ts";
import type { CompileOptions } from "./driver/compile_kernels.ts";

/** Which GPU, and where NVIDIA's libraries and compiled kernels are; none of it changes a bit of the ordered mode. */
export interface CudaEngineOptions extends Omit<CompileOptions, "device" | "flags"> {
  /** looked through before the loader's own places */
  readonly libraryFolders?: readonly string[];
  /** 0 is the first that CUDA_VISIBLE_DEVICES leaves; default: 0 */
  readonly ordinal?: number;
  /** without an ordinal: ranks of a node take its GPUs in turn, each the one that it alone is shown, or by this number */
  readonly localRank?: number;
  /** without one, kernels are compiled at every start */
  readonly cache?: KernelCache;
}
