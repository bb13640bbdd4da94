// Exponentials of a row and their sum, what both softmaxes share. AssemblyScript.
import { expOfNegative } from "./elementary";
import { combineLanes } from "./lanes";

/** Replaces a row by exp(z − top), top its largest element, and returns Σ by 32 lanes. */
export function exponentiateRow(z: usize, width: i32, top: f32): f32 {
  const shift = f32x4.splat(top);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  let i = 0;
  for (; i + 32 <= width; i += 32) {
    s0 = exponentiate(z, shift, s0);
    s1 = exponentiate(z + 16, shift, s1);
    s2 = exponentiate(z + 32, shift, s2);
    s3 = exponentiate(z + 48, shift, s3);
    s4 = exponentiate(z + 64, shift, s4);
    s5 = exponentiate(z + 80, shift, s5);
    s6 = exponentiate(z + 96, shift, s6);
    s7 = exponentiate(z + 112, shift, s7);
    z += 128;
  }
  if (i < width) s0 = exponentiate(z, shift, s0);
  if (i + 4 < width) s1 = exponentiate(z + 16, shift, s1);
  if (i + 8 < width) s2 = exponentiate(z + 32, shift, s2);
  if (i + 12 < width) s3 = exponentiate(z + 48, shift, s3);
  if (i + 16 < width) s4 = exponentiate(z + 64, shift, s4);
  if (i + 20 < width) s5 = exponentiate(z + 80, shift, s5);
  if (i + 24 < width) s6 = exponentiate(z + 96, shift, s6);
  return combineLanes(s0, s1, s2, s3, s4, s5, s6, s7);
}

function exponentiate(at: usize, shift: v128, partial: v128): v128 {
  const e = expOfNegative(f32x4.sub(v128.load(at), shift));
  v128.store(at, e);
  return f32x4.add(partial, e);
}
