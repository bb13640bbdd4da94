/** What a machine has of what the CUDA engine needs, for `doctor`: each part with what was found or what to install. */
import { compileKernels, type CompileOptions } from "./compile_kernels.ts";
import { CublasLt } from "./cublaslt.ts";
import { Device, type DeviceOptions } from "./device.ts";
import { driverRelease } from "./driver_release.ts";
import { Nvrtc } from "./nvrtc.ts";

/** One part. */
export interface CudaFinding {
  /** `GPU`, `NVRTC`, `cuBLASLt`, `kernels ordered` */
  readonly name: string;
  readonly good: boolean;
  /** what was found, or what is missing and what to do */
  readonly detail: string;
}

/** A set of kernels that should compile or be at hand. */
export interface KernelsToExamine extends Pick<CompileOptions, "flags"> {
  /** such as `ordered` */
  readonly name: string;
  readonly source: string;
}

/** Where to look, and for what. */
export interface ExamineOptions extends DeviceOptions, Pick<CompileOptions, "cache" | "prebuiltFolder"> {
  readonly kernels?: readonly KernelsToExamine[];
}

async function finding(name: string, look: () => Promise<string> | string): Promise<CudaFinding> {
  try {
    return { name, good: true, detail: await look() };
  } catch (error) {
    return { name, good: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/**
 * Opens what the engine would open, and closes it again. Without a GPU the libraries are looked at all the same.
 *
 * Deno permissions: `--allow-ffi`; as for the search of libraries.
 */
export async function examineCuda(options: ExamineOptions = {}): Promise<CudaFinding[]> {
  const { kernels = [], cache, prebuiltFolder, ordinal: _, localRank: __, ...places } = options;
  const findings: CudaFinding[] = [];
  const opened: { device?: Device } = {};
  findings.push(
    await finding("GPU", () => {
      const device = opened.device = Device.open(options);
      const { name, computeCapability, multiprocessors, totalMemory, driverVersion } = device.properties;
      const release = driverRelease(places);
      return [
        `${name}, sm_${computeCapability.join("")}`,
        `${multiprocessors} multiprocessors`,
        `${gibibytes(device.freeMemory())} of ${gibibytes(totalMemory)} free`,
        `driver${release === undefined ? "" : ` ${release}`} for CUDA ${driverVersion} (${device.driverPath})`,
      ].join(", ");
    }),
  );
  try {
    const properties = opened.device?.properties;
    const driverVersion = properties?.driverVersion;
    const request = driverVersion === undefined ? places : { ...places, driverVersion };
    findings.push(
      await finding("NVRTC", () => {
        const nvrtc = Nvrtc.open(request);
        const { compiler, architectures, path } = nvrtc;
        nvrtc.close();
        return `${compiler}, sm_${architectures[0]} to sm_${architectures.at(-1)} (${path})`;
      }),
      await finding("cuBLASLt", () => {
        const library = CublasLt.open(places, driverVersion);
        const { version, path } = library;
        library.close();
        return `${version} (${path})`;
      }),
    );
    for (const { name, source, flags } of kernels) {
      if (properties === undefined) break;
      const compileOptions: CompileOptions = {
        ...places,
        device: properties,
        flags,
        cache,
        prebuiltFolder,
      };
      findings.push(
        await finding(`kernels ${name}`, async () => {
          const { digest, imageDigest, compiler, target } = await compileKernels(source, compileOptions);
          return `${digest}, by ${compiler} for ${target}, image ${imageDigest}`;
        }),
      );
    }
  } finally {
    opened.device?.close();
  }
  return findings;
}
