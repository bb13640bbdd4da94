/** The native kernels that this machine can run: the tests' own question, apart from how the engine chooses. */
import { INSTRUCTION_SETS, type InstructionSetFacts } from "../../../src/engine/exact/native/instruction_sets.ts";
import { LIBRARY_FOLDER, libraryName } from "../../../src/engine/exact/native/platform.ts";
import { PROCESSOR_SYMBOLS } from "../../../src/engine/exact/native/signatures.ts";

/** Path of this platform's library; undefined if there is none. */
export const LIBRARY: string | undefined = (() => {
  const name = libraryName(Deno.build);
  return name === undefined ? undefined : new URL(name, LIBRARY_FOLDER).pathname;
})();

/** The sets that run here, the fastest first. */
export const AVAILABLE: readonly InstructionSetFacts[] = (() => {
  if (LIBRARY === undefined) return [];
  const library = Deno.dlopen(LIBRARY, PROCESSOR_SYMBOLS);
  const bits = library.symbols.instructionSets();
  library.close();
  return INSTRUCTION_SETS.filter(({ bit }) => (bits & bit) !== 0);
})();
