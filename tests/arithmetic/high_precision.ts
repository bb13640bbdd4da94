/**
 * exp, log, sin, cos and the normal distribution to about 350 bits in BigInt fixed point: what the arithmetic's own
 * functions are measured against. Numbers are integers in units of 2^−512.
 */

/** Bits after the binary point. */
const BITS = 512n;
const ONE = 1n << BITS;

/** An exact or very precise number: `fixed` · 2^(`exponent` − 512). */
export interface Precise {
  readonly fixed: bigint;
  readonly exponent: number;
}

const words = new DataView(new ArrayBuffer(8));

/** Significand and exponent of a finite double: x = significand · 2^exponent exactly. */
function decompose(x: number): { significand: bigint; exponent: number } {
  words.setFloat64(0, x);
  const bits = words.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  return { significand: x < 0 ? -significand : significand, exponent: Math.max(biased, 1) - 1075 };
}

function shift(x: bigint, by: bigint): bigint {
  return by >= 0n ? x << by : x >> -by;
}

/** A double in fixed point: exact if it is a multiple of 2^−512, rounded down otherwise. */
export function toFixed(x: number): bigint {
  const { significand, exponent } = decompose(x);
  return shift(significand, BigInt(exponent) + BITS);
}

function multiply(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

/** artanh(1 / n) = Σ n^−(2k+1) / (2k + 1), or arctan with alternating signs. */
function inverseTangent(n: bigint, sign: 1n | -1n): bigint {
  let sum = 0n;
  let power = ONE / n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = sign * (power / (n * n));
  }
  return sum;
}

const LN2 = 2n * inverseTangent(3n, 1n);
/** π by Machin's formula. */
export const PI = 16n * inverseTangent(5n, -1n) - 4n * inverseTangent(239n, -1n);

function roundedQuotient(a: bigint, b: bigint): bigint {
  const twice = 2n * a + b;
  const quotient = twice / (2n * b);
  return twice < 0n && twice % (2n * b) !== 0n ? quotient - 1n : quotient;
}

/** e^x of a fixed-point number. */
export function preciseExp(x: bigint): Precise {
  const n = roundedQuotient(x, LN2);
  const r = x - n * LN2;
  let sum = 0n;
  let term = ONE;
  for (let k = 1n; term !== 0n; k++) {
    sum += term;
    term = multiply(term, r) / k;
    if (term === -1n) break;
  }
  return { fixed: sum, exponent: Number(n) };
}

/** ln x of a positive double. */
export function preciseLog(x: number): Precise {
  const { significand, exponent } = decompose(x);
  const length = significand.toString(2).length;
  const m = shift(significand, BITS - BigInt(length)); // in [½, 1)
  const s = ((m - ONE) << BITS) / (m + ONE);
  const square = multiply(s, s);
  let sum = 0n;
  let power = s;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = multiply(power, square);
  }
  return { fixed: 2n * sum + BigInt(exponent + length) * LN2, exponent: 0 };
}

/** sin (x + quarters · π/2) of a double. */
export function preciseSin(x: number, quarters = 0): Precise {
  const fixed = toFixed(x);
  const n = roundedQuotient(2n * fixed, PI);
  const r = fixed - (n * PI) / 2n;
  const quadrant = Number((((n + BigInt(quarters)) % 4n) + 4n) % 4n);
  let sum = 0n;
  let term = quadrant % 2 === 0 ? r : ONE;
  for (let k = quadrant % 2 === 0 ? 2n : 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term;
    term = -multiply(multiply(term, r), r) / (k * (k + 1n));
  }
  return { fixed: quadrant >= 2 ? -sum : sum, exponent: 0 };
}

/** Newton's integer square root. */
function squareRoot(x: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

const ROOT_TWO_PI = squareRoot((2n * PI) << BITS);

/** Density φ(x) and distribution Φ(x) of the standard normal, |x| ≤ 14. */
export function preciseNormal(x: number): { density: Precise; distribution: Precise } {
  const u = toFixed(Math.abs(x));
  const { fixed, exponent } = preciseExp(-multiply(u, u) / 2n);
  const density = (shift(fixed, BigInt(exponent)) << BITS) / ROOT_TWO_PI;
  // Φ(u) = ½ + φ(u) · (u + u³/3 + u⁵/(3 · 5) + …)
  const square = multiply(u, u);
  let sum = 0n;
  let term = u;
  for (let k = 3n; term !== 0n; k += 2n) {
    sum += term;
    term = multiply(term, square) / k;
  }
  const upper = ONE / 2n + multiply(density, sum);
  return {
    density: { fixed: density, exponent: 0 },
    distribution: { fixed: x < 0 ? ONE - upper : upper, exponent: 0 },
  };
}

/** The nearest double of a precise number, to within one unit in the last place. */
export function toNumber({ fixed, exponent }: Precise): number {
  if (fixed === 0n) return 0;
  const excess = fixed.toString(2).replace("-", "").length - 60;
  return Number(shift(fixed, BigInt(-excess))) * 2 ** (excess - Number(BITS)) * 2 ** exponent;
}

/** |actual − expected| in units in the last place of the expected double. */
export function errorInUlps(actual: number, expected: Precise): number {
  const { significand, exponent } = decompose(actual);
  const scaled = shift(significand, BigInt(exponent - expected.exponent) + BITS);
  const magnitude = expected.fixed < 0n ? -expected.fixed : expected.fixed;
  const ulp = 1n << BigInt(magnitude.toString(2).length - 53);
  const difference = scaled - expected.fixed;
  return Number(((difference < 0n ? -difference : difference) * 1024n) / ulp) / 1024;
}
