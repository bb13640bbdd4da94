/**
 * cos, sin, exp and log in doubles from nothing but + − × ÷, which IEEE 754 defines to the bit. ECMAScript leaves
 * `Math.cos` and its kin to the implementation, so engines and their versions differ there; these functions do not.
 * Errors stay below 2.5 units in the last place over the stated ranges (tests/arithmetic/elementary_test.ts).
 */

const LN2_HIGH = 6.93147180369123816490e-1; // upper 33 bits of ln 2: n · LN2_HIGH is exact for |n| < 2^20
const LN2_LOW = 1.90821492927058770002e-10;
const PI_2_HIGH = 1.57079632673412561417; // upper 33 bits of π/2
const PI_2_MIDDLE = 6.07710050630396597660e-11; // the next 33 bits
const PI_2_LOW = 2.02226624879595063154e-21;
const TWO_OVER_PI = 6.36619772367581382433e-1;

const EXP_TERMS = 14;
const LOG_TERMS = 12;
const SINE_TERMS = 9;

const words = new DataView(new ArrayBuffer(8));

/** 2^n for −1022 ≤ n ≤ 1023. */
function powerOfTwo(n: number): number {
  words.setUint32(0, (n + 1023) << 20);
  words.setUint32(4, 0);
  return words.getFloat64(0);
}

/**
 * e^x.
 *
 * @param x −708 ≤ x ≤ 709; beyond that the result is 0 or Infinity
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x < -708) return 0;
  if (x > 709) return Infinity;
  const n = Math.floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
  const r = (x - n * LN2_HIGH) - n * LN2_LOW;
  let sum = 1; // Horner form of Σ r^k / k!
  for (let k = EXP_TERMS; k >= 1; k--) sum = 1 + (r / k) * sum;
  return n === 1024 ? sum * 2 * powerOfTwo(1023) : sum * powerOfTwo(n);
}

/**
 * Natural logarithm.
 *
 * @param x a positive normal double; 0 gives −Infinity, negative numbers NaN
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  words.setFloat64(0, x);
  const high = words.getUint32(0);
  let n = (high >>> 20) - 1023;
  words.setUint32(0, (high & 0xfffff) | (1023 << 20));
  let m = words.getFloat64(0);
  if (m > 1.4142135623730951) {
    m /= 2;
    n += 1;
  }
  // log m = 2 · artanh(s), s = (m − 1) / (m + 1), |s| ≤ 0.1716
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let k = LOG_TERMS; k >= 1; k--) sum = square * (1 / (2 * k + 1) + sum);
  return n * LN2_HIGH + (2 * s + (2 * s * sum + n * LN2_LOW));
}

/** sin r for |r| ≤ π/4. */
function sineKernel(r: number): number {
  const square = r * r;
  let sum = 0;
  for (let k = SINE_TERMS; k >= 1; k--) sum = -square / ((2 * k) * (2 * k + 1)) * (1 + sum);
  return r + r * sum;
}

/** cos r for |r| ≤ π/4. */
function cosineKernel(r: number): number {
  const square = r * r;
  let sum = 0;
  for (let k = SINE_TERMS; k >= 2; k--) sum = -square / ((2 * k) * (2 * k - 1)) * (1 + sum);
  // 1 − r²/2 (1 + sum), with the rounding error of the subtraction put back
  const half = square / 2;
  const head = 1 - half;
  return head + ((1 - head - half) - half * sum);
}

/** x = quadrant · π/2 + remainder, |remainder| ≤ π/4, for |x| ≤ 10^6. */
function reduce(x: number): { quadrant: number; remainder: number } {
  const n = Math.floor(x * TWO_OVER_PI + 0.5);
  const remainder = ((x - n * PI_2_HIGH) - n * PI_2_MIDDLE) - n * PI_2_LOW;
  return { quadrant: ((n % 4) + 4) % 4, remainder };
}

/**
 * Cosine of an angle in radians.
 *
 * @throws {RangeError} if |x| > 10^6, where the reduction would lose bits
 */
export function cos(x: number): number {
  return sin(x, 1);
}

/**
 * Sine of an angle in radians.
 *
 * @param quadrants quarter turns added to the angle without rounding
 * @throws {RangeError} if |x| > 10^6, where the reduction would lose bits
 */
export function sin(x: number, quadrants = 0): number {
  if (!(x >= -1e6 && x <= 1e6)) throw new RangeError(`Angle ${x} is outside ±1e6`);
  const { quadrant, remainder } = reduce(x);
  switch ((quadrant + quadrants) % 4) {
    case 0:
      return sineKernel(remainder);
    case 1:
      return cosineKernel(remainder);
    case 2:
      return -sineKernel(remainder);
    default:
      return -cosineKernel(remainder);
  }
}
