/** The engines that run on a GPU, by the names that `--engine` has for them. */
import { createMixedCudaEngine, type MixedCudaEngineOptions } from "../../src/engine/cuda/mixed/engine.ts";
import type { MixedPrecision } from "../../src/engine/cuda/mixed/precision.ts";
import { createOrderedCudaEngine } from "../../src/engine/cuda/ordered/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Mode } from "./costs/launch_costs.ts";
import { engineOptions, type Settings } from "./settings.ts";

/** Names. */
export const ENGINES = ["cuda-ordered", "cuda-bf16", "cuda-fp16"] as const;
export type EngineName = (typeof ENGINES)[number];

/** The engines of 16-bit numbers. */
export const MIXED_ENGINES = ["cuda-bf16", "cuda-fp16"] as const;

/** Who multiplies matrices, where it matters. */
export type MatmulChoice = Pick<MixedCudaEngineOptions, "matmuls">;

/** Which kernels an engine runs. */
export function modeOf(name: EngineName): Mode {
  return name === "cuda-ordered" ? "ordered" : "mixed";
}

/** The 16-bit format of an engine. */
export function precisionOf(name: (typeof MIXED_ENGINES)[number]): MixedPrecision {
  return name === "cuda-bf16" ? "bf16" : "fp16";
}

/** Runs `use` with an engine on the GPU, or on the stand-in in a rehearsal, and gives it back. */
export async function withEngine<T>(
  name: EngineName,
  settings: Settings,
  use: (engine: Engine) => Promise<T>,
  choice: MatmulChoice = {},
): Promise<T> {
  const options = engineOptions(settings);
  const engine = name === "cuda-ordered"
    ? await createOrderedCudaEngine(options)
    : createMixedCudaEngine({ ...options, precision: precisionOf(name), ...choice });
  try {
    return await use(engine);
  } finally {
    engine.close?.();
  }
}
