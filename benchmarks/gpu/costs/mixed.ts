/** Least work of the mixed mode's kernels, by the parameters that `src/engine/cuda/kernels/mixed/` names. */
import { parameterCount } from "../../../src/model/config.ts";
import { rotaryHalf } from "../../../src/engine/ordered/rotary_tables.ts";
import { type Cost, type CostRule, passOver } from "./cost.ts";

const FLOAT = 4;
const HALF = 2;

/** C (m, n) of 16-bit factors. */
export function matmulCost(
  layout: string,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
  bytesOfC: number,
): Cost {
  const bytes = HALF * (m * k + k * n) + bytesOfC * m * n;
  return { flops: 2 * m * n * k, bytes, unit: "half", shape: `${layout} ${m}×${n}×${k}` };
}

function matmuls(layout: string, output: "16" | "f32"): CostRule {
  return (launch) => {
    const shape = { m: launch.number("m"), n: launch.number("n"), k: launch.number("k") };
    const adds = output === "f32" && launch.number("accumulate") === 1;
    return matmulCost(layout, shape, output === "16" ? HALF : adds ? 2 * FLOAT : FLOAT);
  };
}

/** Kernels over (rows, width), or what they call it. */
function rowwise(bytes: number, width: "h" | "m" | "width"): CostRule {
  return (launch) => passOver(bytes * launch.number("rows") * launch.number(width));
}

/**
 * Flash attention over (windows, heads): half of the square.
 *
 * @param matmuls matmuls over the square
 * @param vectors 16-bit vectors of a head's size that a row reads and writes
 */
function attention(matmuls: number, vectors: number): CostRule {
  return (launch) => {
    const length = launch.number("sequence_length"), heads = launch.number("heads"), [, , windows] = launch.grid;
    const size = launch.model.hiddenSize / launch.model.heads, rows = windows * heads * length;
    return {
      flops: matmuls * rows * length * size,
      bytes: rows * (HALF * vectors * size + FLOAT),
      unit: "half",
      shape: `${windows} × ${heads} heads of ${size}, ${length} tokens`,
    };
  };
}

/** Passes over the flat vector of parameters. */
function overParameters(bytes: number): CostRule {
  return ({ model }) => passOver(bytes * parameterCount(model));
}

/** Every kernel of the mode. */
export const MIXED_COSTS: Readonly<Record<string, CostRule>> = {
  matmul_nt_16: matmuls("nt", "16"),
  matmul_nn_16: matmuls("nn", "16"),
  matmul_nt_f32: matmuls("nt", "f32"),
  matmul_tn_f32: matmuls("tn", "f32"),
  sum_splits: (launch) =>
    passOver(FLOAT * launch.number("size") * (launch.number("splits") + 1 + launch.number("accumulate"))),
  attention: attention(2, 4),
  attention_backward_queries: attention(3, 6),
  attention_backward_keys: attention(4, 6),
  embed: rowwise(8, "h"),
  embedding_backward: (launch) =>
    passOver(launch.bytes("d_residual") + 2 * FLOAT * launch.grid[0] * launch.number("h")),
  layer_norm: rowwise(8, "h"),
  layer_norm_pair: rowwise(10, "h"),
  layer_norm_backward: rowwise(10, "h"),
  layer_norm_pair_backward: rowwise(16, "h"),
  carry_biases: (launch) => passOver(3 * FLOAT * launch.number("layers") * launch.number("h")),
  bias_gelu: rowwise(4, "m"),
  bias_gelu_backward: rowwise(6, "m"),
  bias_rotary: rowwise(4, "width"),
  bias_rotary_backward: (launch) => {
    const turned = 2 * launch.model.heads * 2 * rotaryHalf(launch.model);
    return passOver(HALF * launch.number("rows") * (launch.number("width") + turned));
  },
  sum_columns: (launch) => passOver(FLOAT * (launch.number("pieces") + 1) * launch.number("width")),
  cross_entropy: (launch) => passOver(HALF * launch.grid[0] * launch.number("vocabulary")),
  cross_entropy_backward: (launch) => passOver(2 * HALF * launch.grid[0] * launch.number("vocabulary")),
  sum_losses: (launch) => passOver(FLOAT * launch.grid[0] * launch.number("sequence_length")),
  sum_squares: overParameters(4),
  finish_gradient: (launch) => passOver(FLOAT * launch.number("chunks")),
  adamw: overParameters(30),
  round_weights: overParameters(6),
  add_gradient: overParameters(12),
};
