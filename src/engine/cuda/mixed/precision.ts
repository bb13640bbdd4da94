/** The 16-bit formats of the mixed mode. */
import type { HalfType } from "../driver/matmul_descriptor.ts";

/** `fp16` with dynamic loss scaling, as the paper trained; `bf16` with the range of f32, without scaling. */
export type MixedPrecision = "fp16" | "bf16";

/** The format's name in cuBLASLt's terms. */
export function halfType(precision: MixedPrecision): HalfType {
  return precision === "fp16" ? "f16" : "bf16";
}

/** Gradient blocks of a unit that ranks share: the second of a pair is added by the kernels that compute it. */
export const MIXED_UNIT_BLOCKS = 2;

/** Version of what the mode computes, part of every run's key: it changes whenever a bit can change on one machine. */
export function mixedArithmetic(precision: MixedPrecision): string {
  return `mixed-${precision}/1`;
}
