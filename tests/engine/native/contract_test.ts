import { engineContract } from "../contract/engine_contract.ts";
import { engineWith } from "../fixture.ts";
import { AVAILABLE } from "./available.ts";

for (const { name: instructionSet, title: variant } of AVAILABLE) {
  engineContract("exact", () => engineWith({ kernels: "native", instructionSet, threads: 2 }), { variant });
}
