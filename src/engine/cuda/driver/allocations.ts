/** What was taken of a device's memory, and by what name. */
import { STATUS } from "./abi.ts";
import type { DeviceProperties } from "./device_properties.ts";
import type { Driver } from "./driver.ts";
import { CudaError } from "./errors.ts";
import { Out } from "./host_memory.ts";
import type { View } from "./view.ts";

/** The allocations of one device. */
export class Allocations {
  readonly #driver: Driver;
  readonly #properties: DeviceProperties;
  readonly #views = new Map<bigint, View>();

  constructor(driver: Driver, properties: DeviceProperties) {
    this.#driver = driver;
    this.#properties = properties;
  }

  /** Bytes taken. */
  get bytes(): number {
    return this.#views.values().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes that the driver has left, for all processes. */
  free(): number {
    const free = new Out();
    const total = new Out();
    this.#driver.check(this.#driver.functions.cuMemGetInfo_v2(free.buffer, total.buffer), "cuMemGetInfo");
    return free.bytes;
  }

  /** @throws {CudaError} `OUT_OF_DEVICE_MEMORY` with what did not fit and how much is free */
  take(bytes: number, what: string): View {
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new RangeError(`"${what}" cannot take ${bytes} bytes`);
    const out = new Out();
    const status = this.#driver.functions.cuMemAlloc_v2(out.buffer, BigInt(bytes));
    if (status === STATUS.outOfMemory) {
      const { name, totalMemory } = this.#properties;
      throw new CudaError(
        status,
        `${name} has no ${bytes} bytes left for ${what}: of its ${totalMemory}, this run has taken ${this.bytes}, and ` +
          `${this.free()} are free`,
      );
    }
    this.#driver.check(status, `Allocating ${bytes} bytes for ${what}`);
    const view: View = { address: out.u64, bytes, what, allocation: { live: true } };
    this.#views.set(view.address, view);
    return view;
  }

  /** @throws {Error} if the view is a slice, or was given back before */
  giveBack(view: View): void {
    const own = this.#views.get(view.address);
    if (own === undefined || own.allocation !== view.allocation || own.bytes !== view.bytes) {
      throw new Error(`"${view.what}" is no allocation of this device: it was freed before, or is a slice`);
    }
    this.#views.delete(view.address);
    view.allocation.live = false;
    this.#driver.check(this.#driver.functions.cuMemFree_v2(view.address), `Freeing ${view.what}`);
  }

  /** Gives all back, whatever the driver says. */
  giveAllBack(): void {
    for (const { address, allocation } of this.#views.values()) {
      allocation.live = false;
      this.#driver.functions.cuMemFree_v2(address);
    }
    this.#views.clear();
  }
}
