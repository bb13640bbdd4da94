// The 32-lane row reduction of docs/arithmetic.md: lane l sums elements l, l + 32, l + 64, … in ascending order; then
// lanes 16 apart are added, then 8, 4, 2 and 1 apart. AssemblyScript.
// Row lengths are multiples of 4.
import { fma } from "./fma";

export function combineLanes(
  s0: v128, // lanes 0–3
  s1: v128, // lanes 4–7, and so on
  s2: v128,
  s3: v128,
  s4: v128,
  s5: v128,
  s6: v128,
  s7: v128,
): f32 {
  const a0 = f32x4.add(s0, s4), a1 = f32x4.add(s1, s5), a2 = f32x4.add(s2, s6), a3 = f32x4.add(s3, s7);
  const b0 = f32x4.add(a0, a2), b1 = f32x4.add(a1, a3);
  const c = f32x4.add(b0, b1);
  const d = f32x4.add(c, v128.shuffle<f32>(c, c, 2, 3, 2, 3));
  return f32x4.extract_lane(d, 0) + f32x4.extract_lane(d, 1);
}

/** Σ x[i] over n elements. */
export function sum(x: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let s4 = f32x4.splat(0), s5 = f32x4.splat(0), s6 = f32x4.splat(0), s7 = f32x4.splat(0);
  let i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = f32x4.add(s0, v128.load(x));
    s1 = f32x4.add(s1, v128.load(x, 16));
    s2 = f32x4.add(s2, v128.load(x, 32));
    s3 = f32x4.add(s3, v128.load(x, 48));
    s4 = f32x4.add(s4, v128.load(x, 64));
    s5 = f32x4.add(s5, v128.load(x, 80));
    s6 = f32x4.add(s6, v128.load(x, 96));
    s7 = f32x4.add(s7, v128.load(x, 112));
    x += 128;
  }
  if (i + 0 < n) s0 = f32x4.add(s0, v128.load(x));
  if (i + 4 < n) s1 = f32x4.add(s1, v128.load(x, 16));
  if (i + 8 < n) s2 = f32x4.add(s2, v128.load(x, 32));
  if (i + 12 < n) s3 = f32x4.add(s3, v128.load(x, 48));
  if (i + 16 < n) s4 = f32x4.add(s4, v128.load(x, 64));
  if (i + 20 < n) s5 = f32x4.add(s5, v128.load(x, 80));
  if (i + 24 < n) s6 = f32x4.add(s6, v128.load(x, 96));
  return combineLanes(s0, s1, s2, s3, s4, s5, s6, s7);
}

/** Σ x[i] · y[i] over n elements, each product joined by fma. */
export function dot(x: usize, y: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let s4 = f32x4.splat(0), s5 = f32x4.splat(0), s6 = f32x4.splat(0), s7 = f32x4.splat(0);
  let i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = fma(v128.load(x), v128.load(y), s0);
    s1 = fma(v128.load(x, 16), v128.load(y, 16), s1);
    s2 = fma(v128.load(x, 32), v128.load(y, 32), s2);
    s3 = fma(v128.load(x, 48), v128.load(y, 48), s3);
    s4 = fma(v128.load(x, 64), v128.load(y, 64), s4);
    s5 = fma(v128.load(x, 80), v128.load(y, 80), s5);
    s6 = fma(v128.load(x, 96), v128.load(y, 96), s6);
    s7 = fma(v128.load(x, 112), v128.load(y, 112), s7);
    x += 128, y += 128;
  }
  if (i + 0 < n) s0 = fma(v128.load(x), v128.load(y), s0);
  if (i + 4 < n) s1 = fma(v128.load(x, 16), v128.load(y, 16), s1);
  if (i + 8 < n) s2 = fma(v128.load(x, 32), v128.load(y, 32), s2);
  if (i + 12 < n) s3 = fma(v128.load(x, 48), v128.load(y, 48), s3);
  if (i + 16 < n) s4 = fma(v128.load(x, 64), v128.load(y, 64), s4);
  if (i + 20 < n) s5 = fma(v128.load(x, 80), v128.load(y, 80), s5);
  if (i + 24 < n) s6 = fma(v128.load(x, 96), v128.load(y, 96), s6);
  return combineLanes(s0, s1, s2, s3, s4, s5, s6, s7);
}

function addSquare(deviation: v128, s: v128): v128 {
  return fma(deviation, deviation, s);
}

/** Σ (x[i] − mean)² over n elements, each square joined by fma. */
export function sumOfSquaredDeviations(x: usize, mean: f32, n: i32): f32 {
  const center = f32x4.splat(mean);
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let s4 = f32x4.splat(0), s5 = f32x4.splat(0), s6 = f32x4.splat(0), s7 = f32x4.splat(0);
  let i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = addSquare(f32x4.sub(v128.load(x), center), s0);
    s1 = addSquare(f32x4.sub(v128.load(x, 16), center), s1);
    s2 = addSquare(f32x4.sub(v128.load(x, 32), center), s2);
    s3 = addSquare(f32x4.sub(v128.load(x, 48), center), s3);
    s4 = addSquare(f32x4.sub(v128.load(x, 64), center), s4);
    s5 = addSquare(f32x4.sub(v128.load(x, 80), center), s5);
    s6 = addSquare(f32x4.sub(v128.load(x, 96), center), s6);
    s7 = addSquare(f32x4.sub(v128.load(x, 112), center), s7);
    x += 128;
  }
  if (i + 0 < n) s0 = addSquare(f32x4.sub(v128.load(x), center), s0);
  if (i + 4 < n) s1 = addSquare(f32x4.sub(v128.load(x, 16), center), s1);
  if (i + 8 < n) s2 = addSquare(f32x4.sub(v128.load(x, 32), center), s2);
  if (i + 12 < n) s3 = addSquare(f32x4.sub(v128.load(x, 48), center), s3);
  if (i + 16 < n) s4 = addSquare(f32x4.sub(v128.load(x, 64), center), s4);
  if (i + 20 < n) s5 = addSquare(f32x4.sub(v128.load(x, 80), center), s5);
  if (i + 24 < n) s6 = addSquare(f32x4.sub(v128.load(x, 96), center), s6);
  return combineLanes(s0, s1, s2, s3, s4, s5, s6, s7);
}
