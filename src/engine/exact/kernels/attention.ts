// Rotary position embedding and the causal softmax, forward and backward. AssemblyScript.
// Queries, keys and values stand as GPT-NeoX fuses them: (T, heads, 3, d).
import { exponentiateRow } from "./exponentials";
import { fma } from "./fma";
import { dot } from "./lanes";

/**
 * Rotates the first 2 · `half` dimensions of every query and key in place: with pairs (a, b) = (x[i], x[i + half]),
 * a′ = fma(a, cos, −(b · sin)), b′ = fma(b, cos, a · sin). `sign` −1 rotates back, which is the gradient.
 * qkv (T, heads, 3, d); cosines and sines (T, half).
 */
export function rotate(
  qkv: usize,
  cosines: usize,
  sines: usize,
  rows: i32,
  heads: i32,
  headSize: i32,
  half: i32,
  sign: f32,
): void {
  const headBytes = <usize> headSize * 4, halfBytes = <usize> half * 4;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      for (let part = 0; part < 2; part++) {
        for (let i: usize = 0; i < halfBytes; i += 4) {
          const a = v128.load32_zero(qkv + i), b = v128.load32_zero(qkv + i + halfBytes);
          const cosine = v128.load32_zero(cosines + i);
          const sine = f32x4.mul(v128.load32_zero(sines + i), f32x4.splat(sign));
          v128.store_lane<f32>(qkv + i, fma(a, cosine, f32x4.neg(f32x4.mul(b, sine))), 0);
          v128.store_lane<f32>(qkv + i + halfBytes, fma(b, cosine, f32x4.mul(a, sine)), 0);
        }
        qkv += headBytes;
      }
      qkv += headBytes; // values are not rotated
    }
    cosines += halfBytes;
    sines += halfBytes;
  }
}

/** Columns right of the diagonal that are set to zero, so that tiles of 6 rows and steps of 4 columns read zeros. */
const MARGIN: i32 = 12;

/**
 * Causal softmax in place, row i over columns 0…i: z = s · scale, p = exp(z − max z) / Σ, Σ by 32 lanes.
 * s (T, T) with row stride `columns`; zeros right of the diagonal as far as later matmuls read.
 */
export function causalSoftmax(scores: usize, rows: i32, columns: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (let i = 0; i < rows; i++) {
    const length = i + 1;
    const end = min(columns, length + MARGIN);
    let largest = f32x4.splat(-Infinity);
    let j = 0;
    for (; j + 4 <= length; j += 4) {
      const z = f32x4.mul(v128.load(scores + (<usize> j << 2)), factor);
      v128.store(scores + (<usize> j << 2), z);
      largest = f32x4.max(largest, z);
    }
    let top: f32 = max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
      max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    for (; j < length; j++) {
      const z: f32 = load<f32>(scores + (<usize> j << 2)) * scale;
      store<f32>(scores + (<usize> j << 2), z);
      top = max<f32>(top, z);
    }
    // −Infinity makes exp give +0, which leaves every partial sum as it is.
    for (j = length; j < end; j++) store<f32>(scores + (<usize> j << 2), -Infinity);

    const padded = min(columns, (length + 3) & ~3);
    const total = f32x4.splat(exponentiateRow(scores, padded, top));
    for (j = 0; j < padded; j += 4) {
      const at = scores + (<usize> j << 2);
      v128.store(at, f32x4.div(v128.load(at), total));
    }
    for (j = padded; j < end; j++) store<f32>(scores + (<usize> j << 2), 0);
    scores += <usize> columns << 2;
  }
}

/**
 * Gradient of the causal softmax in place: dz = p · (dp − D) · scale with D = Σ_d dO · O by 32 lanes.
 * dp becomes dz: p and dp (T, T) with row stride `columns`; O and dO (T, d) with row stride `rowBytes`.
 */
export function causalSoftmaxBackward(
  probabilities: usize,
  gradients: usize,
  output: usize,
  outputGradient: usize,
  rowBytes: usize,
  rows: i32,
  columns: i32,
  headSize: i32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale);
  for (let i = 0; i < rows; i++) {
    const length = i + 1;
    const mean = f32x4.splat(dot(outputGradient, output, headSize));
    let j: i32 = 0;
    for (; j < length; j += 4) {
      const at = <usize> j << 2;
      const difference = f32x4.sub(v128.load(gradients + at), mean);
      v128.store(gradients + at, f32x4.mul(f32x4.mul(v128.load(probabilities + at), difference), factor));
    }
    const end = min(columns, length + MARGIN);
    for (j = length; j < end; j++) store<f32>(gradients + (<usize> j << 2), 0);
    probabilities += <usize> columns << 2;
    gradients += <usize> columns << 2;
    output += rowBytes;
    outputGradient += rowBytes;
  }
}
