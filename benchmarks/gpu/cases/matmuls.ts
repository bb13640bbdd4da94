/** Every matmul of a pass, by one implementation. */
import type { Matmuls, MatmulShape } from "../../../src/engine/cuda/mixed/matmul.ts";
import { allShapes, passShapes } from "../../../src/engine/cuda/mixed/matmul_shapes.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { type MixedContext, WINDOWS } from "./mixed_context.ts";

/** Rows of logits at a time. */
const LOGIT_ROWS = 256;

/** Shapes of all matmuls. */
export function matmulShapes(model: ModelConfig): MatmulShape[] {
  return allShapes(passShapes(model, WINDOWS * model.sequenceLength), [LOGIT_ROWS]);
}

/** @param by who computes them, for the title */
export async function matmulCases({ writer, half, model, unitRoundoff }: MixedContext, matmuls: Matmuls, by: string) {
  for (const shape of matmulShapes(model)) {
    const { layout, m, n, k, output } = shape;
    const accumulate = output === "f32";
    const a = writer.random(half, layout === "tn" ? [k, m] : [m, k]);
    const b = writer.random(half, layout === "nt" ? [n, k] : [k, n]);
    const old = accumulate ? writer.random("f32", [m, n]) : undefined;
    const c = old ?? writer.empty(half, [m, n]);
    // Products of 16-bit factors are exact in f32; a sum errs like the root of its length.
    const bound = 2 ** -24 * 4 * Math.sqrt(k) + (accumulate ? 0 : unitRoundoff);
    await writer.add(
      { operation: `matmul_${layout}`, title: `matmul ${layout}, ${by}`, shape: `${m}×${n}×${k}`, numbers: {} },
      { a, b, ...(old === undefined ? {} : { old }) },
      { c: { array: c, bound } },
      () => matmuls.run(shape, { a: a.view, b: b.view, c: c.view, accumulate }),
    );
  }
}
