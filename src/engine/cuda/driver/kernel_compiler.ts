/** What compiles kernels: NVRTC within this process, or nvcc as a program. */
import type { Target } from "./target.ts";

/** A compiler of CUDA C++. */
export interface KernelCompiler {
  /** such as `NVRTC 13.0` or `nvcc 13.0`; part of what identifies an image */
  readonly compiler: string;
  /**
   * Compiles one translation unit.
   *
   * @param source without includes
   * @param flags options without the architecture
   * @returns a cubin for a real target, PTX for a virtual one
   * @throws {UserError} `KERNELS_DO_NOT_COMPILE` with the compiler's messages
   */
  compile(source: string, flags: readonly string[], target: Target): Promise<Uint8Array<ArrayBuffer>>;
}
