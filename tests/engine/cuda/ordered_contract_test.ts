import { createOrderedCudaEngine } from "../../../src/engine/cuda/ordered/engine.ts";
import { engineContract } from "../contract/engine_contract.ts";
import { hasCompiler, standInFolder } from "./ordered_fixture.ts";

engineContract(
  "cuda-ordered",
  async () => await createOrderedCudaEngine({ libraryFolders: [await standInFolder()] }),
  { variant: "CPU stand-in", ignore: !hasCompiler },
);
