/** Matmuls by each native instruction set: the suite that WebAssembly's kernels pass. */
import { KernelBench } from "../kernel_fixture.ts";
import { testMatmul } from "../matmul_suite.ts";
import { AVAILABLE, LIBRARY } from "./available.ts";

for (const { name, title } of AVAILABLE) testMatmul(title, KernelBench.openNative(LIBRARY ?? "", name));
