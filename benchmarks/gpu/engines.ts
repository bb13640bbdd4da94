/** The engines that run on a GPU, by the names that `--engine` has for them. */
import { CublasLt } from "../../src/engine/cuda/driver/cublaslt.ts";
import { compileKernels } from "../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../src/engine/cuda/driver/device.ts";
import { createOrderedCudaEngine } from "../../src/engine/cuda/ordered/engine.ts";
import { readKernelUnit } from "../../src/engine/cuda/kernel_source.ts";
import { loadMixedKernels } from "../../src/engine/cuda/mixed/kernels.ts";
import { planMixedMemory } from "../../src/engine/cuda/mixed/memory.ts";
import { MixedSession } from "../../src/engine/cuda/mixed/session.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../src/engine/cuda/mixed/specialization.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Mode } from "./costs/launch_cost.ts";
import { engineOptions, type Settings } from "./settings.ts";

/** Names. */
export const ENGINES = ["cuda-ordered", "cuda-bf16", "cuda-fp16"] as const;
export type EngineName = (typeof ENGINES)[number];

/** The engines of 16-bit numbers. */
export const MIXED_ENGINES = ["cuda-bf16", "cuda-fp16"] as const;

/** Which kernels an engine runs. */
export function modeOf(name: EngineName): Mode {
  return name === "cuda-ordered" ? "ordered" : "mixed";
}

/** The 16-bit format of an engine. */
export function precisionOf(name: (typeof MIXED_ENGINES)[number]): "bf16" | "fp16" {
  return name === "cuda-bf16" ? "bf16" : "fp16";
}

/** Opens the GPU, or the stand-in in a rehearsal. */
export async function openEngine(name: EngineName, settings: Settings): Promise<Engine> {
  const options = engineOptions(settings);
  if (name === "cuda-ordered") return await createOrderedCudaEngine(options);
  // TEMPORARY
  const precision = precisionOf(name);
  const device = Device.open(options);
  let library: CublasLt | undefined;
  try {
    library = CublasLt.open(options, device.properties.driverVersion);
  } catch { /* own */ }
  return {
    name,
    level: "run_to_run",
    arithmetic: `mixed-${precision}/1`,
    description: { gemm: library?.version ?? "own" },
    memoryBytes: (session) => planMixedMemory(session, {}).bytes,
    peakBytes: () => 0,
    open: async (session) => {
      const unit = await readKernelUnit(mixedKernelChoice(session.model, precision));
      const { image } = await compileKernels(unit.text, { ...options, device: device.properties, flags: MIXED_FLAGS });
      const kernels = loadMixedKernels(device.load(image));
      return new MixedSession({ device, kernels, precision, ...(library === undefined ? {} : { library }) }, session);
    },
    close: () => device.close(),
  };
}

/** Runs `use` with an engine, and gives the GPU back. */
export async function withEngine<T>(
  name: EngineName,
  settings: Settings,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(name, settings);
  try {
    return await use(engine);
  } finally {
    engine.close?.();
  }
}
