/** What a stand-in can be told that no GPU can: the order of its threads, its memory, and what went wrong last. */

const SYMBOLS = {
  stand_in_set_seed: { parameters: ["u64"], result: "void" },
  stand_in_set_workers: { parameters: ["u32"], result: "void" },
  stand_in_set_memory: { parameters: ["u64"], result: "void" },
  stand_in_set_attribute: { parameters: ["i32", "i32"], result: "void" },
  stand_in_set_waits_need_context: { parameters: ["i32"], result: "void" },
  stand_in_set_quiet: { parameters: ["i32"], result: "void" },
  stand_in_launches: { parameters: [], result: "u64" },
  stand_in_last_problem: { parameters: ["buffer", "u64"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Bytes of memory that a stand-in has if it is told nothing else. */
export const STAND_IN_MEMORY: number = 4 * 2 ** 30;

/** One built stand-in, beside what `Device` sees of it. Settings hold for all its devices, until they are changed. */
export class StandInControls {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;

  /** @param folder what `buildStandIn` gave */
  constructor(folder: string) {
    this.#library = Deno.dlopen(`${folder}/libcuda.so.1`, SYMBOLS);
  }

  /**
   * With a seed other than 0, blocks and threads run in an order made from it, asynchronous copies within a kernel
   * happen early or late, and work given to a stream is done only when something waits for it. Waits for the work given
   * so far.
   */
  seed(seed: number | bigint): void {
    this.#library.symbols.stand_in_set_seed(BigInt(seed));
  }

  /** CPU threads that share the blocks of a launch. Default: one for each CPU. */
  workers(count: number): void {
    this.#library.symbols.stand_in_set_workers(count);
  }

  /** Bytes of memory that the device has. Default: {@linkcode STAND_IN_MEMORY}. */
  memory(bytes: number): void {
    this.#library.symbols.stand_in_set_memory(BigInt(bytes));
  }

  /** What `cuDeviceGetAttribute` says: by default the values of an H100. */
  attribute(attribute: number, value: number): void {
    this.#library.symbols.stand_in_set_attribute(attribute, value);
  }

  /** Whether waiting fails on a thread that has no current context. Default: false. */
  waitsNeedContext(value: boolean): void {
    this.#library.symbols.stand_in_set_waits_need_context(value ? 1 : 0);
  }

  /** Whether problems are kept from the standard error. Default: false. */
  quiet(value: boolean): void {
    this.#library.symbols.stand_in_set_quiet(value ? 1 : 0);
  }

  /** Launches done since the seed was last set. */
  get launches(): number {
    return Number(this.#library.symbols.stand_in_launches());
  }

  /** The last problem in words; empty if there was none. */
  get lastProblem(): string {
    const text = new Uint8Array(new ArrayBuffer(4096));
    this.#library.symbols.stand_in_last_problem(text, BigInt(text.length));
    return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
  }

  /** Sets everything to its default. */
  reset(): void {
    this.seed(0);
    this.workers(navigator.hardwareConcurrency);
    this.memory(STAND_IN_MEMORY);
    this.waitsNeedContext(false);
    this.quiet(false);
  }

  close(): void {
    this.#library.close();
  }
}
