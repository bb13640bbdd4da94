// Exact (erf) GELU, g(x) = x · Φ(x), and its derivative Φ(x) + x · φ(x). AssemblyScript.
import { expOfNegative, normalTail } from "./elementary";
import { fma } from "./fma";

/**
 * x (n) → g(x) in place of x, and g′(x) into `derivative` for the backward pass, unless that is 0. About 40 FLOPs an
 * element.
 * With u = |x| and e = exp(−u²/2): Φ(−u) = e · tail(u), φ = e / √(2π); Φ(x) is Φ(−u) or 1 − Φ(−u).
 */
export function gelu(x: usize, derivative: usize, n: i32): void {
  const one = f32x4.splat(1);
  const inverseRootTwoPi = f32x4.splat(reinterpret<f32>(0x3ecc422a));
  for (let i = 0; i < n; i += 4) {
    const value = v128.load(x);
    const u = f32x4.abs(value);
    const e = expOfNegative(f32x4.mul(f32x4.mul(u, u), f32x4.splat(-0.5)));
    const tail = f32x4.mul(e, normalTail(u));
    const negative = f32x4.lt(value, f32x4.splat(0));
    const distribution = v128.bitselect(tail, f32x4.sub(one, tail), negative);
    if (derivative != 0) {
      v128.store(derivative, fma(value, f32x4.mul(e, inverseRootTwoPi), distribution));
      derivative += 16;
    }
    v128.store(x, f32x4.mul(value, distribution));
    x += 16;
  }
}

/** The same without the derivative, for evaluation. */
export function geluForward(x: usize, n: i32): void {
  gelu(x, 0, n);
}
