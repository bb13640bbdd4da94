/** Pieces of the device's memory as arrays of f32 and of 16-bit values. */
import { slice, type View } from "./driver/view.ts";

/** Bytes of an f32, and of a 16-bit value. */
export const FLOAT_BYTES = 4;
export const HALF_BYTES = 2;

/**
 * The view, if it holds what a kernel will touch: one that reads on would end the process.
 *
 * @param elementBytes 2 or 4
 * @throws {RangeError} if it is too short
 */
export function need(view: View, elements: number, elementBytes: number): View {
  if (!(elements * elementBytes <= view.bytes)) {
    throw new RangeError(`"${view.what}" has ${view.bytes} bytes, and a kernel needs ${elements * elementBytes}`);
  }
  return view;
}

/** Elements of a view of f32: from `first`, `count` of them. */
export function floatsOf(view: View, first: number, count: number): View {
  return slice(view, first * FLOAT_BYTES, count * FLOAT_BYTES);
}

/** Elements of a view of 16-bit values. */
export function halvesOf(view: View, first: number, count: number): View {
  return slice(view, first * HALF_BYTES, count * HALF_BYTES);
}
