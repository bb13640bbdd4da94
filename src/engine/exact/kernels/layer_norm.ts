// The pair of LayerNorms that a parallel residual block applies to one input. AssemblyScript.
// Both share mean and deviation: x̂ = (x − mean) · rstd, y1 = x̂ · γ1 + β1, y2 = x̂ · γ2 + β2.
import { fma } from "./fma";
import { dot, sum, sumOfSquaredDeviations } from "./lanes";

/**
 * Normalises rows: x (T, h) → x̂ (T, h), rstd (T). mean and variance by 32 lanes, about 8 FLOPs an element.
 */
export function normalize(x: usize, normalized: usize, rstds: usize, rows: i32, width: i32, epsilon: f32): void {
  const count = <f32> width;
  for (let row = 0; row < rows; row++) {
    const mean: f32 = sum(x, width) / count;
    const variance: f32 = sumOfSquaredDeviations(x, mean, width) / count;
    const rstd: f32 = <f32> 1 / sqrt<f32>(variance + epsilon);
    store<f32>(rstds, rstd);
    const m = f32x4.splat(mean), r = f32x4.splat(rstd);
    for (let i = 0; i < width; i += 4) {
      v128.store(normalized, f32x4.mul(f32x4.sub(v128.load(x), m), r));
      x += 16;
      normalized += 16;
    }
    rstds += 4;
  }
}

/** y = x̂ · γ + β by fma: x̂ (T, h), γ and β (h) → y (T, h). */
export function scaleAndShift(
  normalized: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  rows: i32,
  width: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < <usize> width * 4; i += 16) {
      v128.store(y + i, fma(v128.load(normalized + i), v128.load(gamma + i), v128.load(beta + i)));
    }
    normalized += <usize> width * 4;
    y += <usize> width * 4;
  }
}

/** d = dy · γ, or with `join` d = fma(dy, γ, d): dy (T, h), γ (h) → d (T, h). */
export function scaleGradient(dy: usize, gamma: usize, d: usize, rows: i32, width: i32, join: bool): void {
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < <usize> width * 4; i += 16) {
      const a = v128.load(dy + i), g = v128.load(gamma + i);
      v128.store(d + i, join ? fma(a, g, v128.load(d + i)) : f32x4.mul(a, g));
    }
    dy += <usize> width * 4;
    d += <usize> width * 4;
  }
}

/**
 * Gradient through the normalisation, joined to the residual's: dx += rstd · (d − mean(d) − x̂ · mean(d · x̂)).
 * d, x̂, dx (T, h); the inner difference is fma(−x̂, mean(d · x̂), d − mean(d)), the outer sum fma(rstd, ·, dx).
 */
export function normalizeBackward(
  d: usize,
  normalized: usize,
  rstds: usize,
  dx: usize,
  rows: i32,
  width: i32,
): void {
  const count = <f32> width;
  for (let row = 0; row < rows; row++) {
    const mean = f32x4.splat(sum(d, width) / count);
    const projection = f32x4.splat(dot(d, normalized, width) / count);
    const rstd = v128.load32_splat(rstds);
    for (let i: usize = 0; i < <usize> width * 4; i += 16) {
      const centered = f32x4.sub(v128.load(d + i), mean);
      const inner = fma(f32x4.neg(v128.load(normalized + i)), projection, centered);
      v128.store(dx + i, fma(rstd, inner, v128.load(dx + i)));
    }
    d += <usize> width * 4;
    normalized += <usize> width * 4;
    dx += <usize> width * 4;
    rstds += 4;
  }
}
