/** From the kernels' source to an image for a device: from the cache, by NVRTC, or from kernels built beforehand. */
import { canonicalJson } from "../../../digest/canonical_json.ts";
import { type Digest, sha256 } from "../../../digest/sha256.ts";
import { UserError } from "../../../errors.ts";
import type { KernelCache } from "../../kernel_cache.ts";
import type { DeviceProperties } from "./device_properties.ts";
import type { LibraryPlaces } from "./library_search.ts";
import { Nvrtc } from "./nvrtc.ts";
import { readPrebuilt } from "./prebuilt_kernels.ts";
import { chooseTarget, type Target } from "./target.ts";

/** What to compile for, and what may be used. */
export interface CompileOptions extends LibraryPlaces {
  /** the device, or what matters of it */
  readonly device: Pick<DeviceProperties, "computeCapability" | "driverVersion">;
  /** the compiler's options without the architecture: `--std=c++17`, `--fmad=false` */
  readonly flags: readonly string[];
  /** without one, kernels are compiled at every start */
  readonly cache?: KernelCache;
  /** folder of kernels built beforehand, used where NVRTC is missing */
  readonly prebuiltFolder?: string;
}

/** Kernels ready to be loaded. */
export interface CompiledKernels {
  /** cubin or PTX */
  readonly image: Uint8Array<ArrayBuffer>;
  /** of source and flags: which kernels these are, whoever compiled them */
  readonly digest: Digest;
  /** of the image: what the device runs */
  readonly imageDigest: Digest;
  /** such as `NVRTC 13.0` or `nvcc 13.0` */
  readonly compiler: string;
  readonly target: Target;
}

/** What identifies kernels: their source, with all that it includes, and the flags in their order. */
export function kernelsDigest(source: string, flags: readonly string[]): Digest {
  return sha256(canonicalJson({ source: sha256(source), flags: [...flags] }));
}

/**
 * Compiles kernels for a device.
 *
 * @param source one translation unit without includes
 * @throws {UserError} `CUDA_UNAVAILABLE` if there is neither NVRTC nor an image for this device, with what was looked
 * for; `KERNELS_DO_NOT_COMPILE` with the compiler's log
 */
export async function compileKernels(source: string, options: CompileOptions): Promise<CompiledKernels> {
  const { device, flags, cache, prebuiltFolder, ...places } = options;
  const digest = kernelsDigest(source, flags);
  let nvrtc: Nvrtc;
  try {
    nvrtc = Nvrtc.open({ ...places, driverVersion: device.driverVersion });
  } catch (missing) {
    if (!(missing instanceof UserError) || prebuiltFolder === undefined) throw missing;
    const { image, target, compiler } = await readPrebuilt(prebuiltFolder, digest, device.computeCapability);
    return { image, digest, imageDigest: sha256(image), compiler, target };
  }
  try {
    const { compiler } = nvrtc;
    const target = targetOf(nvrtc, device.computeCapability);
    const key = sha256(canonicalJson({ kernels: digest, compiler, target }));
    let image = await cache?.get(key);
    if (image === undefined) {
      image = await nvrtc.compile(source, flags, target);
      await cache?.put(key, image);
    }
    return { image, digest, imageDigest: sha256(image), compiler, target };
  } finally {
    nvrtc.close();
  }
}

function targetOf({ architectures, compiler, path }: Nvrtc, capability: readonly [number, number]): Target {
  const target = chooseTarget(
    capability,
    architectures.flatMap((architecture): Target[] => [`sm_${architecture}`, `compute_${architecture}`]),
  );
  if (target !== undefined) return target;
  throw new UserError(
    "CUDA_UNAVAILABLE",
    `${compiler} (${path}) compiles for sm_${architectures[0]} and newer, and the GPU is sm_${capability.join("")}`,
    "name the folder of an older NVRTC by --cuda-lib",
  );
}
