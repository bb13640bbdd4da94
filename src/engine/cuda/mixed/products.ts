/** The matrix products of a pass, by what they are for. */
import type { ModelConfig } from "../../../model/config.ts";
import type { GemmShape } from "./gemm.ts";

/** The three products of a linear map y (rows, out) = x (rows, in) · Wᵀ. */
export interface LinearProducts {
  /** y = x · Wᵀ */
  readonly forward: GemmShape;
  /** dx (rows, in) = dy · W */
  readonly inputGradient: GemmShape;
  /** dW (out, in) = dyᵀ · x */
  readonly weightGradient: GemmShape;
}

/** The linear maps of a model over a pass. */
export interface PassProducts {
  readonly queryKeyValue: LinearProducts;
  readonly attentionOut: LinearProducts;
  readonly mlpIn: LinearProducts;
  readonly mlpOut: LinearProducts;
  /** of some of the pass's rows: logits are made piece by piece */
  head(rows: number): LinearProducts;
}

function linear(rows: number, out: number, input: number, output: GemmShape["output"]): LinearProducts {
  return {
    forward: { layout: "nt", m: rows, n: out, k: input, output },
    inputGradient: { layout: "nn", m: rows, n: input, k: out, output: "16" },
    weightGradient: { layout: "tn", m: out, n: input, k: rows, output: "f32" },
  };
}

/**
 * The products of a pass over `rows` tokens. What joins the residual stream is added to it in f32.
 */
export function passProducts({ hiddenSize: h, intermediateSize: m, vocabularySize }: ModelConfig, rows: number) {
  return {
    queryKeyValue: linear(rows, 3 * h, h, "16"),
    attentionOut: linear(rows, h, h, "f32"),
    mlpIn: linear(rows, m, h, "16"),
    mlpOut: linear(rows, h, m, "f32"),
    head: (some: number) => linear(some, vocabularySize, h, "16"),
  } satisfies PassProducts;
}

/** Every shape that a pass computes. */
export function allShapes(products: PassProducts, logitRows: readonly number[]): GemmShape[] {
  const { queryKeyValue, attentionOut, mlpIn, mlpOut, head } = products;
  return [queryKeyValue, attentionOut, mlpIn, mlpOut, ...logitRows.map(head)]
    .flatMap(({ forward, inputGradient, weightGradient }) => [forward, inputGradient, weightGradient]);
}
