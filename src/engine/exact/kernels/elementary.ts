// exp, log and the normal distribution in f32, four lanes at a time. AssemblyScript.
// The coefficients are part of the arithmetic's definition (docs/arithmetic.md): minimax fits, rounded to f32.
import { fma } from "./fma";

function constant(x: f32): v128 {
  return f32x4.splat(x);
}

/** e^x for x ≤ 0, relative error below 2e-7; +0 for x < −87. */

export function expOfNegative(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, constant(reinterpret<f32>(0x3fb8aa3b)))); // 1 / ln 2
  let r = fma(n, constant(reinterpret<f32>(0xbf317200)), x); // −ln 2, upper bits: n · this is exact
  r = fma(n, constant(reinterpret<f32>(0xb5bfbe8e)), r); // −ln 2, the rest
  let p = constant(reinterpret<f32>(0x3ab55c97));
  p = fma(p, r, constant(reinterpret<f32>(0x3c0936b2)));
  p = fma(p, r, constant(reinterpret<f32>(0x3d2aac4e)));
  p = fma(p, r, constant(reinterpret<f32>(0x3e2aaa05)));
  p = fma(p, r, constant(reinterpret<f32>(0x3efffffd)));
  p = fma(p, r, constant(1));
  p = fma(p, r, constant(1));
  const scaled = i32x4.add(p, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
  // A NaN compares false and passes through, so that a diverged run shows it.
  return v128.andnot(scaled, f32x4.lt(x, constant(-87)));
}

/**
 * Upper tail of the normal distribution over its density, times √(2π)⁻¹: Φ(−u) = e^(−u²/2) · tail(u), for u ≥ 0.
 * A polynomial of degree 8 in t = 1 / (1 + 0.3 u), relative error below 4e-7 for u ≤ 13.2.
 */

export function normalTail(u: v128): v128 {
  const t = f32x4.div(constant(1), fma(u, constant(reinterpret<f32>(0x3e99999a)), constant(1)));
  let p = constant(reinterpret<f32>(0x3d1cec83));
  p = fma(p, t, constant(reinterpret<f32>(0xbe2ce4a9)));
  p = fma(p, t, constant(reinterpret<f32>(0x3e697594)));
  p = fma(p, t, constant(reinterpret<f32>(0xbd9b1b8d)));
  p = fma(p, t, constant(reinterpret<f32>(0x3e11691b)));
  p = fma(p, t, constant(reinterpret<f32>(0x3dc260b7)));
  p = fma(p, t, constant(reinterpret<f32>(0x3df992c8)));
  p = fma(p, t, constant(reinterpret<f32>(0x3df4ba43)));
  return fma(p, t, constant(reinterpret<f32>(0x36e05851)));
}

/** Natural logarithm of x ≥ 1, finite; lane 0 only. Absolute error below 2e-7 times the result. */

export function logOfAtLeastOne(x: f32): f32 {
  if (!(x < f32.MAX_VALUE)) return x;
  const bits = reinterpret<u32>(x);
  let n = <i32> (bits >> 23) - 127;
  let m = reinterpret<f32>((bits & 0x7fffff) | 0x3f800000);
  if (m > reinterpret<f32>(0x3fb504f3)) { // √2
    m *= 0.5;
    n += 1;
  }
  // ln m = 2 artanh s = 2 s + s³ q(s²)
  const s: f32 = (m - 1) / (m + 1);
  const square = constant(s * s);
  let q = constant(reinterpret<f32>(0x3e6eed72));
  q = fma(q, square, constant(reinterpret<f32>(0x3e922e01)));
  q = fma(q, square, constant(reinterpret<f32>(0x3eccccf6)));
  q = fma(q, square, constant(reinterpret<f32>(0x3f2aaaab)));
  const cube = f32x4.mul(square, constant(s));
  let result = fma(cube, q, constant(s + s));
  result = fma(constant(<f32> n), constant(reinterpret<f32>(0x35bfbe8e)), result);
  result = fma(constant(<f32> n), constant(reinterpret<f32>(0x3f317200)), result);
  return f32x4.extract_lane(result, 0);
}
