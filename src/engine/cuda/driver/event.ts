/** Points in a stream's work, to measure the time between them on the device's clock. */
import { EVENT } from "./abi.ts";
import type { Driver } from "./driver.ts";
import { Out } from "./host_memory.ts";

/** A point in the work of a device's stream. */
export class TimedEvent {
  readonly #driver: Driver;
  readonly #event: bigint;
  readonly #stream: bigint;
  #live = true;

  /** @throws {CudaError} if the driver refuses it */
  constructor(driver: Driver, stream: bigint) {
    const out = new Out();
    driver.check(driver.functions.cuEventCreate(out.buffer, EVENT.timed), "cuEventCreate");
    this.#driver = driver;
    this.#event = out.u64;
    this.#stream = stream;
  }

  #handle(): bigint {
    if (!this.#live) throw new Error("The event was freed");
    return this.#event;
  }

  /** The point is where all that the stream was given so far is done. */
  record(): void {
    this.#driver.check(this.#driver.functions.cuEventRecord(this.#handle(), this.#stream), "cuEventRecord");
  }

  /** Milliseconds from an earlier event to this; both must have passed: synchronise first. */
  millisecondsSince(earlier: TimedEvent): number {
    const out = new Out();
    const status = this.#driver.functions.cuEventElapsedTime(out.buffer, earlier.#handle(), this.#handle());
    this.#driver.check(status, "cuEventElapsedTime");
    return out.f32;
  }

  /** Gives it back. */
  free(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#driver.functions.cuEventDestroy_v2(this.#event);
  }
}
