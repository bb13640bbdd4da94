/** Least work of the mixed mode's kernels: `src/engine/cuda/kernels/mixed/`, by the bytes that their headers state. */
import { parameterCount } from "../../../src/model/config.ts";
import { rotaryHalf } from "../../../src/engine/ordered/rotary_tables.ts";
import { type Cost, type CostRule, type LaunchReader, passOver } from "./cost.ts";

const FLOAT = 4;
const HALF = 2;

/** C (m, n) of 16-bit factors. */
export function productCost(
  layout: string,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
  bytesOfC: number,
): Cost {
  const bytes = HALF * (m * k + k * n) + bytesOfC * m * n;
  return { flops: 2 * m * n * k, bytes, unit: "half", shape: `${layout} ${m}×${n}×${k}` };
}

/** gemm(a, b, c, m, n, k, three strides), and for f32 the depth of a piece and whether it adds. */
function gemm(layout: string, output: "16" | "f32"): CostRule {
  return (launch) => {
    const shape = { m: launch.number(3), n: launch.number(4), k: launch.number(5) };
    const adds = output === "f32" && launch.number(10) === 1;
    return productCost(layout, shape, output === "16" ? HALF : adds ? 2 * FLOAT : FLOAT);
  };
}

/** Rows and width are arguments. */
function rowwise(rows: number, width: number, bytes: number): CostRule {
  return (launch) => passOver(bytes * launch.number(rows) * launch.number(width));
}

function headSize({ model }: LaunchReader): number {
  return model.hiddenSize / model.heads;
}

/**
 * Flash attention over (windows, heads): half of the square.
 *
 * @param length the argument that is T; the number of heads follows it
 * @param products matrix products over the square
 * @param vectors 16-bit vectors of a head's size that a row reads and writes
 */
function attention(length: number, products: number, vectors: number): CostRule {
  return (launch) => {
    const t = launch.number(length), heads = launch.number(length + 1), windows = launch.grid[2], d = headSize(launch);
    const rows = windows * heads * t;
    return {
      flops: products * rows * t * d,
      bytes: rows * (HALF * vectors * d + FLOAT),
      unit: "half",
      shape: `${windows} × ${heads} heads of ${d}, ${t} tokens`,
    };
  };
}

/** Passes over the flat vector of parameters. */
function overParameters(bytes: number): CostRule {
  return ({ model }) => passOver(bytes * parameterCount(model));
}

/** Every kernel of the mode. */
export const MIXED_COSTS: Readonly<Record<string, CostRule>> = {
  gemm_nt_16: gemm("nt", "16"),
  gemm_nn_16: gemm("nn", "16"),
  gemm_nt_f32: gemm("nt", "f32"),
  gemm_tn_f32: gemm("tn", "f32"),
  sum_splits: (launch) => passOver(FLOAT * launch.number(2) * (launch.number(3) + 1 + launch.number(4))),
  attention: attention(3, 2, 4),
  attention_backward_queries: attention(6, 3, 6),
  attention_backward_keys: attention(5, 4, 6),
  embed: rowwise(3, 4, 8),
  embedding_backward: (launch) => passOver(launch.view(0).bytes + 8 * launch.grid[0] * launch.number(5)),
  layer_norm: rowwise(7, 8, 8),
  layer_norm_pair: rowwise(10, 11, 10),
  layer_norm_backward: rowwise(8, 9, 10),
  layer_norm_pair_backward: rowwise(10, 11, 16),
  carry_biases: (launch) => passOver(3 * FLOAT * launch.number(5) * launch.number(6)),
  bias_gelu: rowwise(3, 4, 4),
  bias_gelu_backward: rowwise(4, 5, 6),
  bias_rotary: rowwise(4, 5, 4),
  bias_rotary_backward: (launch) => {
    const rows = launch.number(4), turned = 2 * launch.model.heads * 2 * rotaryHalf(launch.model);
    return passOver(HALF * rows * (launch.number(5) + turned));
  },
  sum_columns: (launch) => passOver(FLOAT * (launch.number(3) + 1) * launch.number(4)),
  cross_entropy: (launch) => passOver(HALF * launch.grid[0] * launch.number(4)),
  cross_entropy_backward: (launch) => passOver(2 * HALF * launch.grid[0] * launch.number(6)),
  sum_losses: (launch) => passOver(FLOAT * launch.grid[0] * launch.number(2)),
  sum_squares: overParameters(4),
  finish_gradient: (launch) => passOver(FLOAT * launch.number(1)),
  adamw: overParameters(30),
  round_weights: overParameters(6),
  add_gradient: overParameters(12),
};
