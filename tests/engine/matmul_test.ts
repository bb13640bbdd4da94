/** Matmuls by WebAssembly. */
import { KernelBench } from "./kernel_fixture.ts";
import { testMatmul } from "./matmul_suite.ts";

testMatmul("WebAssembly", await KernelBench.open("relaxed"));
