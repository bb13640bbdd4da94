/** Pieces of the device's memory: the only form in which an address reaches a launch or a copy. */

/** Memory taken from the device in one piece. */
export interface Allocation {
  /** false once it is given back: views of it are refused from then on */
  live: boolean;
}

/** Where memory lies and how much. Views come from `Device.allocate` and {@linkcode slice} only. */
export interface View {
  /** in the device's address space */
  readonly address: bigint;
  /** length */
  readonly bytes: number;
  /** in words, for messages: `weights`, `logits of a micro-batch` */
  readonly what: string;
  /** what it is a piece of */
  readonly allocation: Allocation;
}

/** No memory: what a kernel gets for a pointer that it may do without, as a null. */
export const NOTHING: View = { address: 0n, bytes: 0, what: "nothing", allocation: { live: true } };

/**
 * A piece of a view.
 *
 * @param offset of its first byte, in bytes
 * @param what its name in messages; default: the whole's
 * @throws {RangeError} if the piece does not lie within the whole
 */
export function slice(whole: View, offset: number, bytes: number, what: string = whole.what): View {
  const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(bytes) && offset >= 0 && bytes >= 0 &&
    offset + bytes <= whole.bytes;
  if (!fits) {
    throw new RangeError(
      `"${what}": ${bytes} bytes at ${offset} do not lie within the ${whole.bytes} of "${whole.what}"`,
    );
  }
  return { address: whole.address + BigInt(offset), bytes, what, allocation: whole.allocation };
}

/** @throws {Error} if the view's memory was given back */
export function requireLive(view: View): void {
  if (!view.allocation.live) throw new Error(`"${view.what}" was freed`);
}
