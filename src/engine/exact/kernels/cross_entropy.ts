// Cross-entropy of next-token logits, with its gradient in place. AssemblyScript.
import { logOfAtLeastOne } from "./elementary";
import { exponentiateRow } from "./exponentials";
import { sum } from "./lanes";

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
