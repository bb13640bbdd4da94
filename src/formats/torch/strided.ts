/** Tensors whose elements do not lie one after another: transposed, cut out of a wider one, or repeated. */

/** Bits of an element of 1, 2, 4 or 8 bytes, whatever number they stand for. */
function bitsOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>, width: number) {
  if (width === 8) return new BigUint64Array(buffer, byteOffset, byteLength / width);
  const Bits = width === 4 ? Uint32Array : width === 2 ? Uint16Array : Uint8Array;
  return new Bits(buffer, byteOffset, byteLength / width);
}

/** Elements of a tensor. */
export interface StridedElements {
  /** from the first element to the end of the last one, at an offset that suits them */
  readonly span: Uint8Array<ArrayBuffer>;
  /** bytes of an element: 1, 2, 4 or 8 */
  readonly width: number;
  /** lengths, outermost first */
  readonly shape: readonly number[];
  /** elements to go on by for each dimension */
  readonly strides: readonly number[];
}

/**
 * Puts elements in row-major order.
 *
 * @param into receives a piece at a time, and is good until the next one is asked for
 * @returns pieces of it, each full but the last
 */
export function* rowMajor(
  { span, width, shape, strides }: StridedElements,
  into: Uint8Array<ArrayBuffer>,
): Generator<Uint8Array<ArrayBuffer>, void> {
  const source = bitsOf(span, width), target = bitsOf(into, width);
  const index = shape.map(() => 0);
  const innermost = shape.length - 1;
  const length = shape[innermost] ?? 1, stride = strides[innermost] ?? 0;
  let count = 0;
  for (let row = 0;;) {
    for (let i = 0, at = row; i < length; i++, at += stride) {
      target[count++] = source[at] as never;
      if (count === target.length) {
        yield into;
        count = 0;
      }
    }
    // The next row: the last but one index goes up, and those that are through begin again.
    let dimension = innermost - 1;
    for (; dimension >= 0; dimension--) {
      const next = (index[dimension] ?? 0) + 1;
      row += strides[dimension] ?? 0;
      if (next < (shape[dimension] ?? 0)) {
        index[dimension] = next;
        break;
      }
      row -= next * (strides[dimension] ?? 0);
      index[dimension] = 0;
    }
    if (dimension < 0) break;
  }
  if (count > 0) yield into.subarray(0, count * width);
}
