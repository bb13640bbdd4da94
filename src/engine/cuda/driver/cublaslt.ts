/** NVIDIA's cuBLASLt, opened on a device: makes matmuls whose algorithm is chosen once and can be kept. */
import { UserError } from "../../../errors.ts";
import { CUBLASLT_SYMBOLS } from "./abi.ts";
import type { Device } from "./device.ts";
import { Out, textAt } from "./host_memory.ts";
import { CUBLASLT_LIBRARY, type LibraryPlaces, openLibrary } from "./library_search.ts";

/** The functions of an opened cuBLASLt. */
export class CublasLt {
  /** each returns a status for {@linkcode check}, but those for version and names */
  readonly functions: Deno.DynamicLibrary<typeof CUBLASLT_SYMBOLS>["symbols"];
  /** such as `cuBLASLt 13.1.1`; its algorithms mean nothing to any other version */
  readonly version: string;
  /** where it was found */
  readonly path: string;
  readonly #library: Deno.DynamicLibrary<typeof CUBLASLT_SYMBOLS>;

  private constructor(library: Deno.DynamicLibrary<typeof CUBLASLT_SYMBOLS>, path: string) {
    this.#library = library;
    this.functions = library.symbols;
    this.path = path;
    const version = Number(library.symbols.cublasLtGetVersion());
    const numbers = [Math.floor(version / 10000), Math.floor(version / 100) % 100, version % 100];
    this.version = `cuBLASLt ${numbers.join(".")}`;
  }

  /**
   * Finds and opens cuBLASLt. This needs no device: its descriptors can be made without one.
   *
   * @param driverVersion the newest CUDA that the driver supports
   * @throws {UserError} `CUDA_UNAVAILABLE` with each place looked at
   */
  static open(places: LibraryPlaces = {}, driverVersion?: string): CublasLt {
    const request = driverVersion === undefined ? places : { ...places, driverVersion };
    const { library, path } = openLibrary(CUBLASLT_LIBRARY, CUBLASLT_SYMBOLS, request);
    return new CublasLt(library, path);
  }

  /** @throws {UserError} `CUDA_FAILED` if the status is not success */
  check(status: number, attempt: string): void {
    if (status === 0) return;
    const name = textAt(this.functions.cublasLtGetStatusName(status)) ?? "cuBLAS status";
    throw new UserError(
      "CUDA_FAILED",
      `${attempt} failed with ${name} (${status})`,
      `${this.version} was found at ${this.path}; train without it, or name another by --cuda-lib`,
    );
  }

  /**
   * A handle for a device; its memory on the device is cuBLASLt's own.
   *
   * @throws {UserError} `CUDA_FAILED` if there is no such device or no memory left
   */
  createHandle(device: Device): bigint {
    device.makeCurrent();
    const out = new Out();
    this.check(this.functions.cublasLtCreate(out.buffer), "cublasLtCreate");
    return out.u64;
  }

  /** Gives a handle back; matmuls must be closed before. */
  destroyHandle(handle: bigint): void {
    this.functions.cublasLtDestroy(handle);
  }

  /** Closes the library; its handles and descriptors must be destroyed before. */
  close(): void {
    this.#library.close();
  }
}
