/** Which release of NVIDIA's driver runs: `580.65.06`. The driver's own interface only says what CUDA it supports. */
import { NVML_SYMBOLS } from "./abi.ts";
import { textOf } from "./host_memory.ts";
import { type LibraryPlaces, MANAGEMENT_LIBRARY, openLibrary } from "./library_search.ts";

/**
 * Asks the management library; `undefined` where it is missing, as in containers without the `utility` capability.
 *
 * Deno permissions: `--allow-ffi`. The kernel's own file for this lies below `/proc`, which Deno opens to nothing less
 * than `--allow-all`.
 */
export function driverRelease(places: LibraryPlaces = {}): string | undefined {
  let library: Deno.DynamicLibrary<typeof NVML_SYMBOLS>;
  try {
    ({ library } = openLibrary(MANAGEMENT_LIBRARY, NVML_SYMBOLS, places));
  } catch {
    return undefined;
  }
  const { nvmlInit_v2, nvmlSystemGetDriverVersion, nvmlShutdown } = library.symbols;
  try {
    if (nvmlInit_v2() !== 0) return undefined;
    const text = new Uint8Array(new ArrayBuffer(80));
    const status = nvmlSystemGetDriverVersion(text, text.length);
    nvmlShutdown();
    return status === 0 ? textOf(text) : undefined;
  } finally {
    library.close();
  }
}
