/** A recorded sequence of launches and copies that one call repeats. */
import { UserError } from "../../../errors.ts";
import { CAPTURE_THREAD_LOCAL, STATUS } from "./abi.ts";
import type { Driver } from "./driver.ts";
import { Out } from "./host_memory.ts";

/**
 * An instantiated CUDA graph. The arguments of its launches are those of the recording; the memory and the modules it
 * uses must outlive it.
 */
export class Graph {
  readonly #driver: Driver;
  readonly #graph: bigint;
  readonly #stream: bigint;
  #live = true;

  private constructor(driver: Driver, graph: bigint, stream: bigint) {
    this.#driver = driver;
    this.#graph = graph;
    this.#stream = stream;
  }

  /**
   * Records what `body` gives the stream, without doing it.
   *
   * @throws {UserError} `CUDA_UNAVAILABLE` if the driver is too old for graphs
   */
  static capture(driver: Driver, stream: bigint, body: () => void): Graph {
    const { functions } = driver;
    if (functions.cuGraphInstantiateWithFlags === null) {
      throw new UserError(
        "CUDA_UNAVAILABLE",
        "The NVIDIA driver is too old for CUDA graphs",
        "install one for CUDA 11.8 or newer",
      );
    }
    const out = new Out();
    driver.check(functions.cuStreamBeginCapture_v2(stream, CAPTURE_THREAD_LOCAL), "Beginning a graph");
    try {
      body();
    } catch (error) {
      if (functions.cuStreamEndCapture(stream, out.buffer) === STATUS.success) functions.cuGraphDestroy(out.u64);
      throw error;
    }
    driver.check(functions.cuStreamEndCapture(stream, out.buffer), "Ending a graph");
    const recording = out.u64;
    const status = functions.cuGraphInstantiateWithFlags(out.buffer, recording, 0n);
    functions.cuGraphDestroy(recording);
    driver.check(status, "Making a graph");
    return new Graph(driver, out.u64, stream);
  }

  /** Runs it after what the stream was given before; returns at once. */
  launch(): void {
    if (!this.#live) throw new Error("The graph was freed");
    this.#driver.check(this.#driver.functions.cuGraphLaunch(this.#graph, this.#stream), "Launching a graph");
  }

  /** Gives it back. */
  free(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#driver.functions.cuGraphExecDestroy(this.#graph);
  }
}
