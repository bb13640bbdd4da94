// AdamW with decoupled weight decay, as PyTorch orders it, and the sum of squares for clipping. AssemblyScript.
import { fma } from "./fma";
import { dot } from "./lanes";

/** Σ g² over n elements by 32 lanes. */
export function sumOfSquares(g: usize, n: i32): f32 {
  return dot(g, g, n);
}

/**
 * One update of n elements; all scalars are rounded to f32 by the caller. 14 FLOPs, 28 bytes an element.
 *
 * g′ = g · clip; m = fma(β1, m, (1 − β1) · g′); v = fma(β2, v, ((1 − β2) · g′) · g′);
 * w = fma(−stepSize, m / (√v / rootCorrection2 + ε), w · decay)
 */
export function adamw(
  weights: usize,
  firstMoments: usize,
  secondMoments: usize,
  gradients: usize,
  n: i32,
  clip: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  stepSize: f32,
  rootCorrection2: f32,
  epsilon: f32,
  decay: f32,
): void {
  const scale = f32x4.splat(clip), e = f32x4.splat(epsilon), shrink = f32x4.splat(decay);
  const b1 = f32x4.splat(beta1), c1 = f32x4.splat(oneMinusBeta1);
  const b2 = f32x4.splat(beta2), c2 = f32x4.splat(oneMinusBeta2);
  const rate = f32x4.splat(-stepSize), root = f32x4.splat(rootCorrection2);
  for (let i: usize = 0; i < <usize> n << 2; i += 16) {
    const g = f32x4.mul(v128.load(gradients + i), scale);
    const m = fma(b1, v128.load(firstMoments + i), f32x4.mul(c1, g));
    const v = fma(b2, v128.load(secondMoments + i), f32x4.mul(f32x4.mul(c2, g), g));
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v), root), e);
    v128.store(firstMoments + i, m);
    v128.store(secondMoments + i, v);
    const w = f32x4.mul(v128.load(weights + i), shrink);
    v128.store(weights + i, fma(rate, f32x4.div(m, denominator), w));
  }
}
