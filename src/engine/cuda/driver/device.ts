/**
 * One GPU: its memory, one stream of work on it, and its kernels. Work is done in the order it was given.
 *
 * A device belongs to the thread (the worker) that opened it. Sizes are checked before each call, since a wrong address
 * would end the process.
 *
 * Deno permissions: `--allow-ffi`, without a scope.
 */
import { UserError } from "../../../errors.ts";
import { STATUS, STREAM_NON_BLOCKING } from "./abi.ts";
import { Allocations } from "./allocations.ts";
import { type DeviceProperties, readDeviceProperties } from "./device_properties.ts";
import { Driver } from "./driver.ts";
import { TimedEvent } from "./event.ts";
import { Graph } from "./graph.ts";
import { addressOf, keepReachable, Out } from "./host_memory.ts";
import type { Arguments, Kernel, LaunchShape, Signature } from "./kernel.ts";
import { launchKernel } from "./launch.ts";
import type { LibraryPlaces } from "./library_search.ts";
import { Module } from "./module.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import { requireLive, type View } from "./view.ts";

/** Which device, and where its driver's library may be. */
export interface DeviceOptions extends LibraryPlaces {
  /** 0 is the first that CUDA_VISIBLE_DEVICES leaves; default: 0 */
  readonly ordinal?: number;
  /** without an ordinal: takes the devices in turn by this number */
  readonly localRank?: number;
}

/** A device of an initialised driver, by its number. */
function findDevice(driver: Driver, { ordinal: given, localRank = 0 }: DeviceOptions): number {
  const { functions } = driver;
  const out = new Out();
  driver.check(functions.cuInit(0), "Starting the NVIDIA driver");
  driver.check(functions.cuDeviceGetCount(out.buffer), "cuDeviceGetCount");
  const count = out.i32;
  const ordinal = given ?? (count > 0 ? localRank % count : 0);
  if (!(Number.isInteger(ordinal) && ordinal >= 0 && ordinal < count)) {
    throw new UserError(
      "CUDA_UNAVAILABLE",
      `There is no GPU ${ordinal}: the NVIDIA driver sees ${count}`,
      'look at "nvidia-smi -L" and CUDA_VISIBLE_DEVICES; in a container start it with "--gpus all"',
    );
  }
  driver.check(functions.cuDeviceGet(out.buffer, ordinal), `cuDeviceGet ${ordinal}`);
  return out.i32;
}

/** An opened GPU. */
export class Device {
  readonly properties: DeviceProperties;
  /** where the driver's library was found */
  readonly driverPath: string;
  /** handle of the stream, for cuBLASLt */
  readonly stream: bigint;
  readonly #driver: Driver;
  readonly #device: number;
  readonly #context: bigint;
  readonly #memory: Allocations;
  /** given back in reverse: a graph before the module whose kernels it launches */
  readonly #owned: { free(): void }[] = [];
  #closed = false;
  #capturing = false;
  /** waits on other threads that have not returned */
  #waiting = 0;
  /** set if a wait on another thread finds no context there */
  #waitsByPolling = false;

  /** The device whose context is the thread's. */
  static #current: Device | undefined;

  private constructor(driver: Driver, device: number) {
    const { functions } = driver;
    const out = new Out();
    this.#driver = driver;
    this.driverPath = driver.path;
    this.#device = device;
    this.properties = readDeviceProperties(driver, device);
    this.#memory = new Allocations(driver, this.properties);
    driver.check(functions.cuDevicePrimaryCtxRetain(out.buffer, device), `Opening ${this.properties.name}`);
    this.#context = out.u64;
    try {
      this.makeCurrent();
      driver.check(functions.cuStreamCreate(out.buffer, STREAM_NON_BLOCKING), "cuStreamCreate");
      this.stream = out.u64;
    } catch (error) {
      functions.cuDevicePrimaryCtxRelease_v2(device);
      Device.#current = undefined;
      throw error;
    }
  }

  /**
   * Opens a GPU.
   *
   * @throws {UserError} `CUDA_UNAVAILABLE` without driver or device, with each place looked at; `PERMISSION_DENIED`
   * without `--allow-ffi`
   */
  static open(options: DeviceOptions = {}): Device {
    const { ordinal: _, localRank: __, ...places } = options;
    const driver = Driver.open(places);
    try {
      return new Device(driver, findDevice(driver, options));
    } catch (error) {
      driver.close();
      throw error;
    }
  }

  /** Makes this device's context the thread's: before calls of other libraries that use it. */
  makeCurrent(): void {
    if (this.#closed) throw new Error(`The device ${this.properties.name} was closed`);
    if (Device.#current === this) return;
    this.#driver.check(this.#driver.functions.cuCtxSetCurrent(this.#context), "cuCtxSetCurrent");
    Device.#current = this;
  }

  #requireNoCapture(doing: string): void {
    if (this.#capturing) throw new Error(`${doing} cannot be part of a graph`);
  }

  #own<T extends { free(): void }>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  /** Bytes that are free on the device, all processes counted. */
  freeMemory(): number {
    this.makeCurrent();
    return this.#memory.free();
  }

  /** Bytes taken by {@linkcode allocate} and not given back. */
  get allocatedBytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Takes memory, aligned to 256 bytes. Its contents are undefined.
   *
   * @param what its name in messages
   * @throws {CudaError} `OUT_OF_DEVICE_MEMORY` with what did not fit and how much is free
   */
  allocate(bytes: number, what: string): View {
    this.makeCurrent();
    this.#requireNoCapture("Allocating");
    return this.#memory.take(bytes, what);
  }

  /**
   * Gives memory back, once the work before is done.
   *
   * @throws {Error} if the view is a slice, or was freed before
   */
  free(view: View): void {
    this.makeCurrent();
    this.#requireNoCapture("Freeing");
    this.#memory.giveBack(view);
  }

  /** @throws {RangeError} if sizes differ */
  #requireSameSize(view: View, bytes: number): void {
    requireLive(view);
    if (view.bytes !== bytes) throw new RangeError(`"${view.what}" has ${view.bytes} bytes, its counterpart ${bytes}`);
  }

  #copyToDevice(target: View, hostAddress: bigint): void {
    if (target.bytes === 0) return;
    const { cuMemcpyHtoDAsync_v2 } = this.#driver.functions;
    const status = cuMemcpyHtoDAsync_v2(target.address, hostAddress, BigInt(target.bytes), this.stream);
    this.#driver.check(status, `Copying ${target.what} to the device`);
  }

  #copyToHost(hostAddress: bigint, source: View): void {
    if (source.bytes === 0) return;
    const { cuMemcpyDtoHAsync_v2 } = this.#driver.functions;
    const status = cuMemcpyDtoHAsync_v2(hostAddress, source.address, BigInt(source.bytes), this.stream);
    this.#driver.check(status, `Copying ${source.what} from the device`);
  }

  /** Copies an array of the same size to the device, after the work given before; waits for it. */
  upload(target: View, source: ArrayBufferView<ArrayBuffer>): void {
    this.makeCurrent();
    this.#requireNoCapture("Copying from memory that is not page-locked");
    this.#requireSameSize(target, source.byteLength);
    this.#copyToDevice(target, addressOf(source));
    // The array may change as soon as this returns.
    this.#driver.check(this.#driver.functions.cuStreamSynchronize(this.stream), `Copying ${target.what} to the device`);
  }

  /** Copies to an array of the same size, after the work given before. */
  async download(source: View, into: ArrayBufferView<ArrayBuffer>): Promise<void> {
    this.makeCurrent();
    this.#requireNoCapture("Copying to memory that is not page-locked");
    this.#requireSameSize(source, into.byteLength);
    this.#copyToHost(addressOf(into), source);
    await this.synchronize();
    keepReachable(into);
  }

  /** Takes page-locked memory of this process, for copies that do not stop it. */
  pin(bytes: number, what: string): PinnedMemory {
    this.makeCurrent();
    return this.#own(new PinnedMemory(this.#driver, bytes, what));
  }

  /** Has page-locked bytes copied to a view of the same size, after the work given before; returns at once. */
  uploadPinned(target: View, source: PinnedMemory): void {
    this.makeCurrent();
    source.requireLive();
    this.#requireSameSize(target, source.length);
    this.#copyToDevice(target, source.address);
    if (!this.#capturing) source.markUse(this.stream);
  }

  /** Has a view copied to page-locked memory of the same size, after the work given before; returns at once. */
  downloadPinned(source: View, into: PinnedMemory): void {
    this.makeCurrent();
    into.requireLive();
    this.#requireSameSize(source, into.length);
    this.#copyToHost(into.address, source);
    if (!this.#capturing) into.markUse(this.stream);
  }

  /** Copies within the device, sizes being equal; the two must not overlap. */
  copy(target: View, source: View): void {
    this.makeCurrent();
    requireLive(source);
    this.#requireSameSize(target, source.bytes);
    if (target.bytes === 0) return;
    const { cuMemcpyDtoDAsync_v2 } = this.#driver.functions;
    const status = cuMemcpyDtoDAsync_v2(target.address, source.address, BigInt(target.bytes), this.stream);
    this.#driver.check(status, `Copying ${source.what} to ${target.what}`);
  }

  /** Fills with a 32-bit word; the view's length must be a multiple of 4. */
  fill32(target: View, word: number): void {
    this.makeCurrent();
    requireLive(target);
    if (target.bytes % 4 !== 0) throw new RangeError(`"${target.what}" has ${target.bytes} bytes, no whole words`);
    if (target.bytes === 0) return;
    const { cuMemsetD32Async } = this.#driver.functions;
    const status = cuMemsetD32Async(target.address, word >>> 0, BigInt(target.bytes / 4), this.stream);
    this.#driver.check(status, `Filling ${target.what}`);
  }

  /**
   * Loads compiled kernels.
   *
   * @param image a cubin, or PTX
   * @throws {CudaError} if the driver refuses it
   */
  load(image: Uint8Array): Module {
    this.makeCurrent();
    return this.#own(new Module(this.#driver, image));
  }

  /**
   * Launches a kernel after the work given before; returns at once.
   *
   * @throws {RangeError} if the shape or an argument is wrong
   */
  launch<S extends Signature>(kernel: Kernel<S>, shape: LaunchShape, ...args: Arguments<S>): void {
    this.makeCurrent();
    launchKernel(this.#driver, this.properties, this.stream, kernel, shape, args);
  }

  /**
   * Records what `body` gives the device, without doing it.
   *
   * @param body launches, copies within the device and of page-locked memory, fills; nothing that waits
   * @throws {UserError} `CUDA_UNAVAILABLE` if the driver is too old for graphs
   */
  capture(body: () => void): Graph {
    this.makeCurrent();
    this.#requireNoCapture("Another graph");
    this.#capturing = true;
    try {
      return this.#own(Graph.capture(this.#driver, this.stream, body));
    } finally {
      this.#capturing = false;
    }
  }

  /** A point in the stream to measure time from or to. */
  event(): TimedEvent {
    this.makeCurrent();
    return this.#own(new TimedEvent(this.#driver, this.stream));
  }

  /**
   * Waits until all work given is done; the event loop keeps running.
   *
   * @throws {CudaError} if any of it failed: the device cannot be used any more
   */
  async synchronize(): Promise<void> {
    this.makeCurrent();
    this.#requireNoCapture("Waiting");
    let status: number = STATUS.invalidContext;
    if (!this.#waitsByPolling) {
      this.#waiting++;
      status = await this.#driver.waiting.cuStreamSynchronize(this.stream);
      this.#waiting--;
      this.makeCurrent();
    }
    if (status === STATUS.invalidContext) {
      this.#waitsByPolling = true;
      while ((status = this.#driver.functions.cuStreamQuery(this.stream)) === STATUS.notReady) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        this.makeCurrent();
      }
    }
    this.#driver.check(status, "Work on the device");
  }

  /** Gives everything back: memory, kernels, graphs, the device. */
  close(): void {
    if (this.#closed) return;
    const { functions } = this.#driver;
    // After a failure of the device these fail as well; nothing is left to do about it.
    functions.cuCtxSetCurrent(this.#context);
    functions.cuStreamSynchronize(this.stream);
    for (const resource of this.#owned.reverse()) resource.free();
    this.#memory.giveAllBack();
    functions.cuStreamDestroy_v2(this.stream);
    functions.cuDevicePrimaryCtxRelease_v2(this.#device);
    Device.#current = undefined;
    this.#closed = true;
    // A thread that still waits would return into a library that is gone.
    if (this.#waiting === 0) this.#driver.close();
  }

  /** The same as {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
