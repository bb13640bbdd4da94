/** 16-bit numbers of the device as f32. */
import type { MixedPrecision } from "./precision.ts";

/** Values of IEEE binary16, or of bfloat16: the upper half of an f32. */
export function decodeHalves(bits: Uint16Array<ArrayBuffer>, precision: MixedPrecision): Float32Array {
  if (precision === "fp16") return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
  const words = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(words.buffer);
}
