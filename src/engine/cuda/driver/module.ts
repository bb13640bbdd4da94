/** Compiled kernels on a device. */
import { FUNCTION_ATTRIBUTE, JIT_OPTION } from "./abi.ts";
import type { Driver } from "./driver.ts";
import { addressOf, cString, Out, textOf } from "./host_memory.ts";
import { Kernel, type KernelResources, type Signature } from "./kernel.ts";

const LOG_BYTES = 8192;

/** A loaded image of kernels. */
export class Module {
  readonly #driver: Driver;
  readonly #handle: bigint;
  /** shared with the kernels, which must not be launched once it is false */
  readonly #loaded = { live: true };

  /**
   * Loads a cubin, or PTX, which the driver then compiles.
   *
   * @throws {CudaError} if the driver refuses the image, with its compiler's words
   */
  constructor(driver: Driver, image: Uint8Array) {
    // PTX is a C string: a zero ends it. A cubin knows its own length.
    const terminated = new Uint8Array(new ArrayBuffer(image.length + 1));
    terminated.set(image);
    const log = new Uint8Array(new ArrayBuffer(LOG_BYTES));
    const options = new Int32Array([JIT_OPTION.errorLogBuffer, JIT_OPTION.errorLogBufferBytes]);
    const values = new BigUint64Array([addressOf(log), BigInt(log.length)]);
    const out = new Out();
    const status = driver.functions.cuModuleLoadDataEx(out.buffer, terminated, options.length, options, values);
    const words = textOf(log).trim();
    driver.check(status, `Loading ${image.length} bytes of kernels${words === "" ? "" : ` ("${words}")`}`);
    this.#driver = driver;
    this.#handle = out.u64;
  }

  /**
   * A kernel by its name.
   *
   * @param signature its parameters; it must agree with the source, which the driver cannot check
   * @throws {CudaError} if the image has no kernel of that name
   */
  kernel<const S extends Signature>(name: string, signature: S): Kernel<S> {
    if (!this.#loaded.live) throw new Error(`Kernel "${name}" is looked up in a module that was freed`);
    const { functions } = this.#driver;
    const out = new Out();
    this.#driver.check(
      functions.cuModuleGetFunction(out.buffer, this.#handle, cString(name)),
      `Looking up kernel "${name}"`,
    );
    const handle = out.u64;
    const attribute = (key: keyof typeof FUNCTION_ATTRIBUTE): number => {
      const status = functions.cuFuncGetAttribute(out.buffer, FUNCTION_ATTRIBUTE[key], handle);
      this.#driver.check(status, `cuFuncGetAttribute ${key} of "${name}"`);
      return out.i32;
    };
    const resources: KernelResources = {
      maxThreadsPerBlock: attribute("maxThreadsPerBlock"),
      registers: attribute("registers"),
      localBytes: attribute("localBytes"),
      sharedBytes: attribute("sharedBytes"),
    };
    return new Kernel(name, signature, handle, resources, this.#loaded);
  }

  /** Takes the kernels off the device: none of them may be launched again. */
  free(): void {
    if (!this.#loaded.live) return;
    this.#loaded.live = false;
    this.#driver.functions.cuModuleUnload(this.#handle);
  }
}
