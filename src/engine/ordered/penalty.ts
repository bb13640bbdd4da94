/**
 * The gradient of a penalty: g + s · (θ − θ*), or g + (s · F) · (θ − θ*), each operation rounded to f32. Elementwise, so
 * that no order and no number of threads can change a bit. In JavaScript over the session's memory: sums and products of
 * two f32 are rounded twice here, to f64 and to f32, which gives the bits of one rounding (Figueroa 1995: 53 ≥ 2 · 24 + 2).
 */
import type { SessionPenalty } from "../engine.ts";

/** Vectors of all parameters, f32. */
export interface PenaltyVectors {
  /** g, to which is added */
  readonly gradient: Float32Array;
  /** θ */
  readonly weights: Float32Array;
  /** θ* */
  readonly anchor: Float32Array;
  /** F; empty for `l2-sp` */
  readonly importance: Float32Array;
}

/**
 * Adds a penalty's gradient to some parameters' gradients.
 *
 * @param offset of the first of them
 * @param size how many they are
 */
export function addPenalty(
  { kind, strength }: SessionPenalty,
  { gradient, weights, anchor, importance }: PenaltyVectors,
  offset: number,
  size: number,
): void {
  const s = Math.fround(strength);
  const end = offset + size;
  if (kind === "l2-sp") {
    for (let i = offset; i < end; i++) {
      const distance = Math.fround((weights[i] as number) - (anchor[i] as number));
      gradient[i] = (gradient[i] as number) + Math.fround(s * distance);
    }
    return;
  }
  for (let i = offset; i < end; i++) {
    const distance = Math.fround((weights[i] as number) - (anchor[i] as number));
    const pull = Math.fround(s * (importance[i] as number));
    gradient[i] = (gradient[i] as number) + Math.fround(pull * distance);
  }
}
