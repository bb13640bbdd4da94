/** The matmuls of a pass, by what they are for. */
import type { ModelConfig } from "../../../model/config.ts";
import type { MatmulShape } from "./matmul.ts";

/** The three matmuls of a linear map y (rows, out) = x (rows, in) · Wᵀ. */
export interface LinearShapes {
  /** y = x · Wᵀ */
  readonly forward: MatmulShape;
  /** dx (rows, in) = dy · W */
  readonly inputGradient: MatmulShape;
  /** dW (out, in) = dyᵀ · x */
  readonly weightGradient: MatmulShape;
}

/** The linear maps of a model over a pass. */
export interface PassShapes {
  readonly queryKeyValue: LinearShapes;
  readonly attentionOut: LinearShapes;
  readonly mlpIn: LinearShapes;
  readonly mlpOut: LinearShapes;
  /** of some of the pass's rows: logits are made piece by piece */
  head(rows: number): LinearShapes;
}

function linear(rows: number, out: number, input: number, output: MatmulShape["output"]): LinearShapes {
  return {
    forward: { layout: "nt", m: rows, n: out, k: input, output },
    inputGradient: { layout: "nn", m: rows, n: input, k: out, output: "16" },
    weightGradient: { layout: "tn", m: out, n: input, k: rows, output: "f32" },
  };
}

/**
 * The matmuls of a pass over `rows` tokens. What joins the residual stream is added to it in f32.
 */
export function passShapes({ hiddenSize: h, intermediateSize: m, vocabularySize }: ModelConfig, rows: number) {
  return {
    queryKeyValue: linear(rows, 3 * h, h, "16"),
    attentionOut: linear(rows, h, h, "f32"),
    mlpIn: linear(rows, m, h, "16"),
    mlpOut: linear(rows, h, m, "f32"),
    head: (some: number) => linear(some, vocabularySize, h, "16"),
  } satisfies PassShapes;
}

/** Every shape that a pass computes. */
export function allShapes(shapes: PassShapes, logitRows: readonly number[]): MatmulShape[] {
  const { queryKeyValue, attentionOut, mlpIn, mlpOut, head } = shapes;
  return [queryKeyValue, attentionOut, mlpIn, mlpOut, ...logitRows.map(head)]
    .flatMap(({ forward, inputGradient, weightGradient }) => [forward, inputGradient, weightGradient]);
}
