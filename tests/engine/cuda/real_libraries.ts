/**
 * Where tests find NVIDIA's real libraries and headers, none of which needs a GPU: in the folder that REWARM_CUDA_LIB
 * names (such as `site-packages/nvidia/cu13/lib` after `pip install nvidia-cuda-nvrtc nvidia-cublas`), else where rewarm
 * itself looks.
 */
import { CublasLt } from "../../../src/engine/cuda/driver/cublaslt.ts";
import type { LibraryPlaces } from "../../../src/engine/cuda/driver/library_search.ts";
import { Nvrtc } from "../../../src/engine/cuda/driver/nvrtc.ts";

const NAMED = Deno.env.get("REWARM_CUDA_LIB");

/** Where to look for libraries. */
export const REAL_PLACES: LibraryPlaces = NAMED === undefined ? {} : { libraryFolders: [NAMED] };

function has(library: string, open: () => { close(): void }): boolean {
  try {
    open().close();
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 100) : String(error);
    console.warn(`tests with the real ${library} are skipped, name its folder by REWARM_CUDA_LIB: ${reason}…`);
    return false;
  }
}

/** Whether NVRTC can be opened. */
export const HAS_NVRTC = has("NVRTC", () => Nvrtc.open(REAL_PLACES));

/** Whether cuBLASLt can be opened. */
export const HAS_CUBLASLT = has("cuBLASLt", () => CublasLt.open(REAL_PLACES));

/** Folders of headers: the toolkit's, and those of the libraries' packages. */
export const INCLUDE_FOLDERS: readonly string[] = [
  "/usr/local/cuda/include",
  ...(NAMED === undefined ? [] : [`${NAMED}/../include`]),
];
