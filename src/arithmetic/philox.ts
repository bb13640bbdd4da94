/**
 * Philox 4×32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011): value = f(key, counter), no hidden state, so that any value can be had in any order on any machine.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16, aLow = a & 0xffff;
  const bHigh = b >>> 16, bLow = b & 0xffff;
  // No sum exceeds 32 bits: (2^16 - 1)^2 + 2^16 - 1 < 2^32.
  const cross1 = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16) >>> 0;
  const cross2 = (Math.imul(aLow, bHigh) >>> 0) + (cross1 & 0xffff) >>> 0;
  return (Math.imul(aHigh, bHigh) >>> 0) + (cross1 >>> 16) + (cross2 >>> 16) >>> 0;
}

/**
 * One block of four random words.
 *
 * @param key two unsigned 32-bit words
 * @param counter four unsigned 32-bit words
 * @param output receives four unsigned 32-bit words
 */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
  output: Uint32Array,
): void {
  let [key0, key1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = (key0 + WEYL_0) | 0;
    key1 = (key1 + WEYL_1) | 0;
  }
  output[0] = c0;
  output[1] = c1;
  output[2] = c2;
  output[3] = c3;
}
