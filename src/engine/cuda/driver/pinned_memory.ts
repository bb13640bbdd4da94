/** Memory of this process that the device reads and writes on its own, so that a copy need not stop the process. */
import { EVENT, STATUS } from "./abi.ts";
import type { Driver } from "./driver.ts";
import { Out } from "./host_memory.ts";

/**
 * Page-locked memory. Before its bytes are written again, or read after a download, the copy must be done: wait by
 * {@linkcode wait} or by the device's `synchronize`.
 */
export class PinnedMemory {
  /** in this process */
  readonly address: bigint;
  readonly #driver: Driver;
  readonly #event: bigint;
  #bytes: Uint8Array<ArrayBuffer>;

  /** @throws {CudaError} `OUT_OF_DEVICE_MEMORY` if the system gives no page-locked memory */
  constructor(driver: Driver, readonly length: number, readonly what: string) {
    const { functions } = driver;
    const out = new Out();
    driver.check(functions.cuEventCreate(out.buffer, EVENT.untimed), "cuEventCreate");
    this.#event = out.u64;
    const status = functions.cuMemHostAlloc(out.buffer, BigInt(length), 0);
    if (status !== STATUS.success) functions.cuEventDestroy_v2(this.#event);
    driver.check(status, `Page-locking ${length} bytes for ${what}`);
    this.address = out.u64;
    const pointer = Deno.UnsafePointer.create(this.address);
    if (pointer === null) throw new Error("cuMemHostAlloc gave a null pointer");
    this.#bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
    this.#driver = driver;
  }

  /** its contents; of length 0 once it is freed */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** @throws {Error} if it was freed */
  requireLive(): void {
    if (this.#bytes.length === 0) throw new Error(`The page-locked memory for ${this.what} was freed`);
  }

  #liveEvent(): bigint {
    this.requireLive();
    return this.#event;
  }

  /** Marks what the stream does up to here as using this memory. */
  markUse(stream: bigint): void {
    this.#driver.check(this.#driver.functions.cuEventRecord(this.#liveEvent(), stream), "cuEventRecord");
  }

  /** Whether the last copy from or into it is done; copies within a graph do not count. */
  get isIdle(): boolean {
    const status = this.#driver.functions.cuEventQuery(this.#liveEvent());
    if (status === STATUS.notReady) return false;
    this.#driver.check(status, `Copying ${this.what}`);
    return true;
  }

  /** Waits until it is idle, without yielding to the event loop. */
  wait(): void {
    this.#driver.check(this.#driver.functions.cuEventSynchronize(this.#liveEvent()), `Copying ${this.what}`);
  }

  /** Gives the memory back; views of it made before become empty. */
  free(): void {
    if (this.#bytes.length === 0) return;
    const { functions } = this.#driver;
    functions.cuEventSynchronize(this.#event);
    // Moving the buffer's contents detaches it: a late reader finds nothing, where it would have crashed.
    this.#bytes.buffer.transfer();
    functions.cuEventDestroy_v2(this.#event);
    functions.cuMemFreeHost(this.address);
  }
}
