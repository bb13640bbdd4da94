/** Matmuls of the mixed mode: 16-bit factors, sums in f32, all matrices row-major and dense. */
import type { View } from "../driver/view.ts";

/**
 * How a matmul's factors lie. `nt`: A (m, k), B (n, k), an activation times a weight (out, in); `nn`: A (m, k),
 * B (k, n), a gradient times a weight; `tn`: A (k, m), B (k, n), the gradient of a weight over k tokens.
 */
export type MatmulLayout = "nt" | "nn" | "tn";

/** Shape of a matmul C (m, n). */
export interface MatmulShape {
  readonly layout: MatmulLayout;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** `16`: C is rounded to the factors' format; `f32`: C is f32, and may be added to */
  readonly output: "16" | "f32";
}

/** One matmul. */
export interface MatmulOperands {
  readonly a: View;
  readonly b: View;
  readonly c: View;
  /** adds to C, which must be f32 */
  readonly accumulate?: boolean;
}

/** Something that computes matmuls. */
export interface Matmuls {
  /** Computes a matmul after the work given to the device before; returns at once. */
  run(shape: MatmulShape, operands: MatmulOperands): void;
  /** what was chosen for each shape, by the name of the matmul: the bits depend on it */
  readonly algorithms: Readonly<Record<string, string>>;
  /** Gives back what it holds besides the device's memory. */
  close(): void;
}

/** A shape in words, as conditions have recorded it from the first: `product nt 8192x50304x1024 16`. */
export function matmulName({ layout, m, n, k, output }: MatmulShape): string {
  return `product ${layout} ${m}x${n}x${k} ${output}`;
}
