/** NVIDIA's driver, opened: its functions, and the check of what they return. */
import { DRIVER_SYMBOLS, STATUS, WAITING_SYMBOLS } from "./abi.ts";
import { cudaError } from "./errors.ts";
import { Out, textAt } from "./host_memory.ts";
import { DRIVER_LIBRARY, type LibraryPlaces, openLibrary } from "./library_search.ts";

type Library<S extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<S>;

/** The functions of an opened driver. */
export class Driver {
  /** each returns a status for {@linkcode check} */
  readonly functions: Library<typeof DRIVER_SYMBOLS>["symbols"];
  /** functions that wait on another thread */
  readonly waiting: Library<typeof WAITING_SYMBOLS>["symbols"];
  readonly #close: () => void;

  private constructor(
    library: Library<typeof DRIVER_SYMBOLS>,
    waiting: Library<typeof WAITING_SYMBOLS>,
    /** where the library was found */
    readonly path: string,
  ) {
    this.functions = library.symbols;
    this.waiting = waiting.symbols;
    this.#close = () => {
      waiting.close();
      library.close();
    };
  }

  /**
   * Opens the library; it is not yet initialised.
   *
   * @throws {UserError} `CUDA_UNAVAILABLE` with each place looked at
   */
  static open(places: LibraryPlaces): Driver {
    const { library, path } = openLibrary(DRIVER_LIBRARY, DRIVER_SYMBOLS, places);
    return new Driver(library, Deno.dlopen(path, WAITING_SYMBOLS), path);
  }

  /** @throws {CudaError} if the status is not success */
  check(status: number, attempt: string): void {
    if (status !== STATUS.success) throw cudaError(status, attempt, this.#nameOf(status));
  }

  #nameOf(status: number): string | undefined {
    const name = new Out();
    return this.functions.cuGetErrorName(status, name.buffer) === STATUS.success ? textAt(name.u64) : undefined;
  }

  /** Closes the library. No function may be called afterwards. */
  close(): void {
    this.#close();
  }
}
