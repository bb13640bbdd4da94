/**
 * PyTorch at its best on processors that Intel did not make: MKL, which multiplies its matrices, takes AVX-512 only where
 * the function below says that Intel made the processor. On Intel's own it changes nothing.
 */
import { type CompiledLibrary, compileLibrary } from "../compile_library.ts";

const SOURCE = "int mkl_serv_intel_cpu_true(void) { return 1; }\nint mkl_serv_intel_cpu(void) { return 1; }\n";

/** Compiles a library to be loaded before MKL. */
export function buildMklOverride(): Promise<CompiledLibrary> {
  if (Deno.build.os !== "linux") return Promise.resolve({ reason: "libraries are preloaded on Linux only" });
  return compileLibrary("intel_cpu", SOURCE);
}
