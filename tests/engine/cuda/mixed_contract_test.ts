import { createMixedCudaEngine } from "../../../src/engine/cuda/mixed/engine.ts";
import { engineContract } from "../contract/engine_contract.ts";
import { ignoreWithoutCompiler as ignore, standInFolder } from "./mixed_fixture.ts";

// Errors of a few units in the last place of 16-bit factors: 2⁻⁸ with bf16, 2⁻¹¹ with fp16.
const CASES = [
  { name: "cuda-bf16", precision: "bf16", tolerance: 8 * 2 ** -8 },
  { name: "cuda-fp16", precision: "fp16", tolerance: 8 * 2 ** -11 },
] as const;

for (const { name, precision, tolerance } of CASES) {
  engineContract(
    name,
    async () => createMixedCudaEngine({ libraryFolders: [await standInFolder()], onlyThere: true, precision }),
    { variant: "CPU stand-in", ignore, tolerance },
  );
}
