/** Matrix products of the mixed mode: 16-bit factors, sums in f32, all matrices row-major and dense. */
import type { View } from "../driver/view.ts";

/**
 * How a product's factors lie. `nt`: A (m, k), B (n, k), an activation times a weight (out, in); `nn`: A (m, k),
 * B (k, n), a gradient times a weight; `tn`: A (k, m), B (k, n), the gradient of a weight over k tokens.
 */
export type GemmLayout = "nt" | "nn" | "tn";

/** Shape of a product C (m, n). */
export interface GemmShape {
  readonly layout: GemmLayout;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** `16`: C is rounded to the factors' format; `f32`: C is f32, and may be added to */
  readonly output: "16" | "f32";
}

/** One product. */
export interface GemmOperands {
  readonly a: View;
  readonly b: View;
  readonly c: View;
  /** adds to C, which must be f32 */
  readonly accumulate?: boolean;
}

/** Something that computes products. */
export interface Gemm {
  /** Computes a product after the work given to the device before; returns at once. */
  run(shape: GemmShape, operands: GemmOperands): void;
  /** what was chosen for each shape, by the name of the product: the bits depend on it */
  readonly algorithms: Readonly<Record<string, string>>;
  /** Gives back what it holds besides the device's memory. */
  close(): void;
}

/** A shape in words: `product nt 8192x50304x1024 16`. */
export function gemmName({ layout, m, n, k, output }: GemmShape): string {
  return `product ${layout} ${m}x${n}x${k} ${output}`;
}
