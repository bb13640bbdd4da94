// Cross-entropy of next-token logits, with its gradient in place. AssemblyScript.
import { expOfNegative, logOfAtLeastOne } from "./elementary";
import { combineLanes, sum } from "./lanes";

/** Replaces a row of logits by exp(z − max z) and returns Σ by 32 lanes; `top` receives max z. */
function exponentiateRow(z: usize, width: i32, top: f32): f32 {
  const shift = f32x4.splat(top);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  let i = 0;
  for (; i + 32 <= width; i += 32) {
    s0 = step(z, shift, s0);
    s1 = step(z + 16, shift, s1);
    s2 = step(z + 32, shift, s2);
    s3 = step(z + 48, shift, s3);
    s4 = step(z + 64, shift, s4);
    s5 = step(z + 80, shift, s5);
    s6 = step(z + 96, shift, s6);
    s7 = step(z + 112, shift, s7);
    z += 128;
  }
  if (i < width) s0 = step(z, shift, s0);
  if (i + 4 < width) s1 = step(z + 16, shift, s1);
  if (i + 8 < width) s2 = step(z + 32, shift, s2);
  if (i + 12 < width) s3 = step(z + 48, shift, s3);
  if (i + 16 < width) s4 = step(z + 64, shift, s4);
  if (i + 20 < width) s5 = step(z + 80, shift, s5);
  if (i + 24 < width) s6 = step(z + 96, shift, s6);
  return combineLanes(s0, s1, s2, s3, s4, s5, s6, s7);
}

function step(at: usize, shift: v128, partial: v128): v128 {
  const e = expOfNegative(f32x4.sub(v128.load(at), shift));
  v128.store(at, e);
  return f32x4.add(partial, e);
}

/** Largest element of a row; a NaN anywhere gives NaN. */
function largestOf(z: usize, width: i32): f32 {
  let largest = v128.load(z);
  for (let i = 4; i < width; i += 4) largest = f32x4.max(largest, v128.load(z + (<usize> i << 2)));
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

/**
 * Negative log-likelihood of the targets: logits (T, V), targets u16 (T) → losses (T); returns Σ losses by 32 lanes.
 * nll = ln Σ exp(z − max z) − (z[target] − max z). With `weight` > 0 the logits become their gradient,
 * (p − 1{target}) · weight with p = exp(z − max z) / Σ; with 0 they are spent.
 */
export function crossEntropy(
  logits: usize,
  targets: usize,
  losses: usize,
  rows: i32,
  width: i32,
  weight: f32,
): f32 {
  let loss = losses;
  for (let row = 0; row < rows; row++) {
    const target = logits + (<usize> load<u16>(targets) << 2);
    const top = largestOf(logits, width);
    const margin: f32 = load<f32>(target) - top;
    const total = exponentiateRow(logits, width, top);
    store<f32>(loss, logOfAtLeastOne(total) - margin);
    if (weight > 0) {
      const divisor = f32x4.splat(total), factor = f32x4.splat(weight);
      const hit: f32 = (load<f32>(target) / total - <f32> 1) * weight;
      for (let i: usize = 0; i < <usize> width << 2; i += 16) {
        v128.store(logits + i, f32x4.mul(f32x4.div(v128.load(logits + i), divisor), factor));
      }
      store<f32>(target, hit);
    }
    logits += <usize> width << 2;
    targets += 2;
    loss += 4;
  }
  return sum(losses, rows);
}
