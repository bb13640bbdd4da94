/** The code that a session's threads run: WebAssembly or native, and the memory that suits it. */
import { instantiateKernels, type Kernels } from "./kernels.ts";
import { WEBASSEMBLY_LIMIT } from "./layout.ts";
import type { InstructionSet } from "./native/instruction_sets.ts";

/** Kernels before they are linked to a memory. Workers get it in a message. */
export type KernelCode =
  | { readonly kind: "wasm"; readonly module: WebAssembly.Module }
  | { readonly kind: "native"; readonly library: string; readonly set: InstructionSet };

/** What all threads of a session share. */
export type SessionMemory = WebAssembly.Memory | SharedArrayBuffer;

const PAGE_BYTES = 65536;

/**
 * Takes shared memory for kernels, all zeros.
 *
 * @param bytes a multiple of 64 KiB
 * @throws {RangeError} if this much cannot be had
 */
export function takeMemory({ kind }: KernelCode, bytes: number): SessionMemory {
  try {
    if (kind === "native") return new SharedArrayBuffer(bytes);
    return new WebAssembly.Memory({
      initial: bytes / PAGE_BYTES,
      maximum: WEBASSEMBLY_LIMIT / PAGE_BYTES,
      shared: true,
    });
  } catch (cause) {
    throw new RangeError(
      `This machine has no ${
        (bytes / 2 ** 30).toFixed(1)
      } GiB for the exact engine: use fewer threads or a smaller model`,
      { cause },
    );
  }
}

/** The bytes of a memory. */
export function bufferOf(memory: SessionMemory): SharedArrayBuffer {
  // A shared memory's buffer is shared, which its type does not say.
  return memory instanceof WebAssembly.Memory ? memory.buffer as unknown as SharedArrayBuffer : memory;
}

/** Links kernels to a memory that `takeMemory` gave for them. */
export async function linkKernels(code: KernelCode, memory: SessionMemory): Promise<Kernels> {
  if (code.kind === "native") {
    const { linkNativeKernels } = await import("./native/link.ts");
    return linkNativeKernels(code.library, code.set, bufferOf(memory));
  }
  if (!(memory instanceof WebAssembly.Memory)) throw new TypeError("WebAssembly's kernels need a WebAssembly.Memory");
  return await instantiateKernels(code.module, memory);
}
