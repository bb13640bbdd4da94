/** What a manifest says of the machine that a run was trained on. */
import type { DeviceProperties } from "./device_properties.ts";
import { driverRelease } from "./driver_release.ts";
import type { LibraryPlaces } from "./library_search.ts";

/**
 * The facts that a `run_to_run` engine's bits depend on, as far as device and driver have them. Two GPUs of one model
 * describe themselves alike.
 */
export function describeDevice(properties: DeviceProperties, places: LibraryPlaces = {}): Record<string, string> {
  const { name, computeCapability, multiprocessors, totalMemory, driverVersion } = properties;
  return {
    gpu: name,
    "compute capability": computeCapability.join("."),
    multiprocessors: String(multiprocessors),
    "device memory": `${totalMemory} bytes`,
    "CUDA of the driver": driverVersion,
    "driver release": driverRelease(places) ?? "unknown",
  };
}
