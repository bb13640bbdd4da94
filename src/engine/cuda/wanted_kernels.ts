/** Which kernels a machine without NVRTC needs for some models, and what compiles them beforehand. */
import type { Digest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { ModelConfig } from "../../model/config.ts";
import { kernelsDigest } from "./driver/compile_kernels.ts";
import type { KernelCompiler } from "./driver/kernel_compiler.ts";
import { openNvcc } from "./driver/nvcc.ts";
import { Nvrtc } from "./driver/nvrtc.ts";
import { type KernelChoice, readKernelUnit } from "./kernel_source.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "./mixed/specialization.ts";
import { ORDERED_FLAGS } from "./ordered/engine.ts";

/** Kernels with the options that the engine compiles them with. */
export interface WantedKernels {
  readonly digest: Digest;
  readonly source: string;
  readonly flags: readonly string[];
  /** `ordered`, or `mixed fp16` with the scales whose models need them */
  readonly mode: string;
  readonly scales: string[];
}

/**
 * What the modes of the engine need for the models of some scales; models with the same kernels share them.
 *
 * @param models by the names of their scales
 * @param onNone is told which mode has no kernels for a model, and why
 */
export async function wantedKernels(
  models: ReadonlyMap<string, ModelConfig>,
  onNone: (mode: string, scale: string, reason: string) => void,
): Promise<WantedKernels[]> {
  const wanted = new Map<Digest, WantedKernels>();
  const add = async (mode: string, choice: KernelChoice, flags: readonly string[], scale?: string) => {
    const { text: source } = await readKernelUnit(choice);
    const digest = kernelsDigest(source, flags);
    const known = wanted.get(digest) ?? { digest, source, flags, mode, scales: [] };
    if (scale !== undefined) known.scales.push(scale);
    wanted.set(digest, known);
  };
  await add("ordered", { name: "ordered" }, ORDERED_FLAGS);
  for (const [scale, config] of models) {
    for (const precision of ["fp16", "bf16"] as const) {
      try {
        await add(`mixed ${precision}`, mixedKernelChoice(config, precision), MIXED_FLAGS, scale);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        onNone(`mixed ${precision}`, scale, error.message);
      }
    }
  }
  return [...wanted.values()];
}

/** NVRTC, whose images are what a machine that has it would make; else nvcc. */
export async function openKernelCompiler(
  libraryFolders: readonly string[],
): Promise<KernelCompiler & { close?(): void }> {
  try {
    return Nvrtc.open({ libraryFolders });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return await openNvcc();
  }
}
