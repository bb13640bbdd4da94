/** The CUDA engine's modes in the catalogue. What they need is loaded when one is started. */
import { UserError } from "../../errors.ts";
import { compactNumber } from "../../text/numbers.ts";
import { type EngineDefinition, engineFamily, type EngineHost, largestNeed } from "../definition.ts";
import { ARITHMETIC_VERSION } from "../ordered/arithmetic.ts";
import { MIXED_UNIT_BLOCKS, mixedArithmetic, type MixedPrecision } from "./mixed/precision.ts";

const LIBRARY_OPTION = {
  "cuda-lib": { kind: "list", value: "DIR…", path: true, help: "folders to look for NVIDIA's libraries in first" },
} as const;

const OPTIONS = {
  device: { kind: "text", value: "N", help: "which GPU, from 0 (default: 0)" },
  recompute: { kind: "flag", help: "cuda-bf16, cuda-fp16: less memory for a third more arithmetic; changes no bit" },
  ...LIBRARY_OPTION,
} as const;

interface CudaValues {
  readonly device?: string;
  readonly recompute?: true;
  readonly "cuda-lib"?: readonly string[];
}

const TASK = "reproduce:cuda";
const RANKS_TASK = "reproduce:cuda-ranks";

/** What both modes are told. */
function cudaOptions(
  { device, "cuda-lib": libraryFolders = [] }: CudaValues,
  { cache, localRank }: Pick<EngineHost, "cache" | "localRank">,
) {
  if (device !== undefined && !/^\d{1,3}$/.test(device)) {
    throw new UserError("BAD_NUMBER", `Option "--device" is "${device}"`, "expected the number of a GPU, from 0");
  }
  return { libraryFolders, cache, ordinal: device === undefined ? undefined : Number(device), localRank };
}

const ordered: EngineDefinition<CudaValues> = {
  identity: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
  task: TASK,
  ranks: { task: RANKS_TASK, unitBlocks: 1 },
  isForRentedGpus: true,
  memory: async (sessions) => {
    const { planOrderedMemory } = await import("./ordered/memory.ts");
    return largestNeed(
      sessions,
      (options) => planOrderedMemory(options).bytes,
      (bytes) => `the engine cuda-ordered takes ${compactNumber(bytes)}B of a GPU's memory`,
    );
  },
  start: async (values, host) => {
    const { createOrderedCudaEngine } = await import("./ordered/engine.ts");
    return await createOrderedCudaEngine(cudaOptions(values, host));
  },
};

function mixed(precision: MixedPrecision): EngineDefinition<CudaValues> {
  return {
    identity: { level: "run_to_run", arithmetic: mixedArithmetic(precision) },
    task: TASK,
    ranks: { task: RANKS_TASK, unitBlocks: MIXED_UNIT_BLOCKS },
    memory: async (sessions, { recompute = false }) => {
      const { planMixedMemory } = await import("./mixed/memory.ts");
      return largestNeed(
        sessions,
        (options) => planMixedMemory(options, { recompute, matmuls: "cuBLASLt" }).bytes,
        (bytes) => `the engine cuda-${precision} takes ${compactNumber(bytes)}B of a GPU's memory`,
      );
    },
    start: async (values, host) => {
      const { createMixedCudaEngine } = await import("./mixed/engine.ts");
      const { recompute = false } = values;
      return createMixedCudaEngine({ ...cudaOptions(values, host), precision, recompute });
    },
  };
}

/** See above. */
export const cudaFamily = engineFamily({
  options: OPTIONS,
  engines: {
    "cuda-bf16": { ...mixed("bf16"), isForRentedGpus: true },
    "cuda-fp16": mixed("fp16"),
    "cuda-ordered": ordered,
  },
  doctor: {
    options: {
      cuda: { kind: "flag", help: "look for an NVIDIA GPU too, and for what the CUDA engine needs" },
      ...LIBRARY_OPTION,
    },
    examine: async ({ cuda, "cuda-lib": libraryFolders = [] }, { cache }) => {
      if (cuda !== true) return [];
      const { examineCuda } = await import("./driver/examine.ts");
      const { ORDERED_FLAGS } = await import("./ordered/engine.ts");
      const { readKernelUnit } = await import("./kernel_source.ts");
      const { text: source } = await readKernelUnit("ordered");
      const kernels = [{ name: "ordered", source, flags: ORDERED_FLAGS }];
      const found = await examineCuda({ libraryFolders, kernels, cache });
      return found.map(({ name, ...rest }) => ({ name: `cuda ${name}`, ...rest }));
    },
  },
});
