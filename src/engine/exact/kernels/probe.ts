// Shows whether `fma` rounds once. AssemblyScript.
import { fma } from "./fma";

/** fma(a, b, c) in one lane: with a = b = 1 + 2^−12 and c = −(a² rounded), 2^−24 if rounded once and 0 if twice. */
export function fmaProbe(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(fma(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}
