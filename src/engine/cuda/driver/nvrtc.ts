/** NVIDIA's compiler as a library: CUDA C++ in, an image for one architecture out. */
import { UserError } from "../../../errors.ts";
import { NVRTC_SYMBOLS } from "./abi.ts";
import { addressOf, cString, keepReachable, Out, textAt, textOf } from "./host_memory.ts";
import type { KernelCompiler } from "./kernel_compiler.ts";
import { type LibraryRequest, NVRTC_LIBRARY, openLibrary } from "./library_search.ts";
import { isPtx, type Target } from "./target.ts";

/** `NVRTC_ERROR_COMPILATION`: the source is at fault. */
const NVRTC_COMPILATION_ERROR = 6;

/** An opened NVRTC. */
export class Nvrtc implements KernelCompiler {
  readonly compiler: string;
  /** compute capabilities it knows, ten times the number: 90 is 9.0. Ascending */
  readonly architectures: readonly number[];
  /** where it was found */
  readonly path: string;
  readonly #library: Deno.DynamicLibrary<typeof NVRTC_SYMBOLS>;
  /** device functions built into the compiler, a library that it opens itself */
  readonly #builtins: Deno.DynamicLibrary<Record<never, never>> | undefined;

  private constructor(library: Deno.DynamicLibrary<typeof NVRTC_SYMBOLS>, path: string) {
    this.#library = library;
    this.path = path;
    const { symbols } = library;
    const major = new Out();
    const minor = new Out();
    this.#check(symbols.nvrtcVersion(major.buffer, minor.buffer), "nvrtcVersion");
    this.compiler = `NVRTC ${major.i32}.${minor.i32}`;
    this.#builtins = openBuiltins(path, `${major.i32}.${minor.i32}`);
    const count = new Out();
    this.#check(symbols.nvrtcGetNumSupportedArchs(count.buffer), "nvrtcGetNumSupportedArchs");
    const architectures = new Int32Array(new ArrayBuffer(4 * count.i32));
    this.#check(symbols.nvrtcGetSupportedArchs(architectures), "nvrtcGetSupportedArchs");
    this.architectures = Array.from(architectures).sort((a, b) => a - b);
  }

  /**
   * Finds and opens NVRTC.
   *
   * @throws {UserError} `CUDA_UNAVAILABLE` with each place looked at
   */
  static open(request: LibraryRequest = {}): Nvrtc {
    const { library, path } = openLibrary(NVRTC_LIBRARY, NVRTC_SYMBOLS, request);
    try {
      return new Nvrtc(library, path);
    } catch (error) {
      library.close();
      throw error;
    }
  }

  #check(status: number, attempt: string): void {
    if (status === 0) return;
    const name = textAt(this.#library.symbols.nvrtcGetErrorString(status)) ?? "NVRTC status";
    throw new UserError("CUDA_FAILED", `${attempt} failed with ${name} (${status})`, `look at ${this.path}`);
  }

  async compile(source: string, flags: readonly string[], target: Target): Promise<Uint8Array<ArrayBuffer>> {
    const { symbols } = this.#library;
    const program = new Out();
    this.#check(symbols.nvrtcCreateProgram(program.buffer, cString(source), cString("kernels.cu"), 0, 0n, 0n), "NVRTC");
    try {
      const options = [...flags, `--gpu-architecture=${target}`].map(cString);
      const table = BigUint64Array.from(options, addressOf);
      const status = await symbols.nvrtcCompileProgram(program.u64, options.length, table);
      keepReachable(options, table);
      if (status !== 0) {
        const log = this.#read(program.u64, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
        const name = textAt(symbols.nvrtcGetErrorString(status)) ?? `status ${status}`;
        throw new UserError(
          "KERNELS_DO_NOT_COMPILE",
          `${this.compiler} (${this.path}) cannot compile the kernels for ${target}, ${name}:\n${textOf(log).trim()}\n`,
          status === NVRTC_COMPILATION_ERROR
            ? "this is a bug: please report it with these lines"
            : NVRTC_LIBRARY.remedy,
        );
      }
      return isPtx(target)
        ? this.#read(program.u64, "nvrtcGetPTXSize", "nvrtcGetPTX")
        : this.#read(program.u64, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
    } finally {
      symbols.nvrtcDestroyProgram(program.buffer);
    }
  }

  /** What a pair of functions gives: a size, then as many bytes. */
  #read(
    program: bigint,
    sizeName: "nvrtcGetProgramLogSize" | "nvrtcGetPTXSize" | "nvrtcGetCUBINSize",
    name: "nvrtcGetProgramLog" | "nvrtcGetPTX" | "nvrtcGetCUBIN",
  ): Uint8Array<ArrayBuffer> {
    const size = new Out();
    this.#check(this.#library.symbols[sizeName](program, size.buffer), sizeName);
    const bytes = new Uint8Array(new ArrayBuffer(size.bytes));
    if (bytes.length > 0) this.#check(this.#library.symbols[name](program, bytes), name);
    return bytes;
  }

  /** Closes the library. */
  close(): void {
    this.#builtins?.close();
    this.#library.close();
  }
}

/**
 * NVRTC opens its built-ins by their bare name, which the loader does not find beside it in a folder of pip's; but a
 * library of that name that is open already is taken.
 */
function openBuiltins(path: string, version: string): Deno.DynamicLibrary<Record<never, never>> | undefined {
  const folder = /^(.*\/)[^/]*$/.exec(path)?.[1];
  if (folder === undefined) return undefined;
  try {
    return Deno.dlopen(`${folder}libnvrtc-builtins.so.${version}`, {});
  } catch {
    return undefined; // the loader may have it; if not, compiling says so
  }
}
