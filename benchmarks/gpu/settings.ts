/** What every part of a run is told, and hands on to the programs that it starts. */
import { z } from "zod";
import type { LibraryPlaces } from "../../src/engine/cuda/driver/library_search.ts";
import type { KernelCache } from "../../src/engine/kernel_cache.ts";
import { kernelFolder } from "../../src/files/kernel_folder.ts";

const schema = z.strictObject({
  /** tiny shapes on the CPU stand-in */
  rehearsal: z.boolean(),
  /** an interpreter with PyTorch, or one that at least runs */
  python: z.string(),
  /** where NVIDIA's libraries of pip's packages are, or the stand-in's in a rehearsal */
  libraryFolders: z.array(z.string()),
  /** for whatever is made on the way */
  work: z.string(),
});

/** See the schema. */
export type Settings = z.infer<typeof schema>;

/** @throws {Error} if the text is not what {@linkcode Settings} were written as */
export function parseSettings(text: string): Settings {
  return schema.parse(JSON.parse(text));
}

/** Where pack.sh has the exact engine's compiled kernels put. */
const PACKED_KERNELS = ".cache/gpu/exact_kernels";

/** The exact engine's compiled kernels, where pack.ts leaves them: a machine without network cannot compile them. */
export const exactKernels: KernelCache = kernelFolder(PACKED_KERNELS);

/**
 * Where engines find their libraries, and where they keep compiled kernels. Those of the stand-in lie apart: it calls
 * itself NVRTC, but what it makes is nothing for a GPU.
 */
export function engineOptions(
  { rehearsal, libraryFolders, work }: Settings,
): LibraryPlaces & { readonly cache: KernelCache } {
  const cache = kernelFolder(`${work}/${rehearsal ? "stand_in_kernels" : "kernels"}`);
  return { libraryFolders, onlyThere: rehearsal, cache };
}
