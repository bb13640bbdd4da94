/** The code that a session's threads run: WebAssembly or native, and the memory that suits it. */
import { instantiateKernels, type Kernels, type MemoryKind } from "./kernels.ts";
import { WEBASSEMBLY_LIMIT } from "./layout.ts";
import type { InstructionSet } from "./native/instruction_sets.ts";

/** Kernels before they are linked to a memory. Workers get it in a message. */
export type KernelCode =
  | {
    readonly kind: "wasm";
    readonly module: WebAssembly.Module;
    /** what it was compiled for */
    readonly memory: MemoryKind;
  }
  | { readonly kind: "native"; readonly library: string; readonly set: InstructionSet };

/** What all threads of a session share; a thread alone may have a memory that cannot be shared. */
export type SessionMemory = WebAssembly.Memory | SharedArrayBuffer;

const PAGE_BYTES = 65536;

/** Whether kernels run in a memory that workers may be given. */
export function sharesMemory(code: KernelCode): boolean {
  return code.kind === "native" || code.memory === "shared";
}

/**
 * Takes memory for kernels, all zeros.
 *
 * @param bytes a multiple of 64 KiB
 * @throws {RangeError} if this much cannot be had
 */
export function takeMemory(code: KernelCode, bytes: number): SessionMemory {
  try {
    if (code.kind === "native") return new SharedArrayBuffer(bytes);
    return new WebAssembly.Memory({
      initial: bytes / PAGE_BYTES,
      maximum: WEBASSEMBLY_LIMIT / PAGE_BYTES,
      shared: code.memory === "shared",
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
export function bufferOf(memory: SessionMemory): ArrayBufferLike {
  return memory instanceof WebAssembly.Memory ? memory.buffer : memory;
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
