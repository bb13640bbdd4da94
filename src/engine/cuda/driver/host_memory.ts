/** Memory of this process as C sees it: results by reference, strings, addresses. */

/** A result that a C function writes through a pointer. */
export class Out {
  // An ArrayBuffer of its own: a small typed array made without one may be moved by the garbage collector.
  readonly #memory = new ArrayBuffer(8);
  /** what to pass for the pointer */
  readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(this.#memory);
  readonly #u64 = new BigUint64Array(this.#memory);
  readonly #i32 = new Int32Array(this.#memory);
  readonly #f32 = new Float32Array(this.#memory);

  /** `CUdeviceptr`, `size_t`, or a handle */
  get u64(): bigint {
    return this.#u64[0] ?? 0n;
  }

  /** a `size_t` that counts bytes; exact, since no memory has 2^53 of them */
  get bytes(): number {
    return Number(this.u64);
  }

  /** `int` */
  get i32(): number {
    return this.#i32[0] ?? 0;
  }

  /** `float` */
  get f32(): number {
    return this.#f32[0] ?? 0;
  }
}

const encoder = new TextEncoder();

/** Bytes of a C string, with the zero at its end. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new RangeError(`A C string ends at its first zero: ${JSON.stringify(text)}`);
  return encoder.encode(text + "\0");
}

/** The text before the first zero. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The C string at an address; `undefined` at zero. */
export function textAt(address: bigint): string | undefined {
  const pointer = Deno.UnsafePointer.create(address);
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * Address of an array's first byte. It holds as long as the array is reachable: keep it so while C uses the address.
 */
export function addressOf(view: ArrayBufferView<ArrayBuffer>): bigint {
  // Asking for the buffer moves the bytes of a small typed array out of the collector's heap, for good.
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** Does nothing; called after a wait with arrays whose addresses C used meanwhile, so that they were not collected. */
export function keepReachable(..._views: readonly unknown[]): void {}
