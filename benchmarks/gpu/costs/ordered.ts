/** Least work of the ordered mode's kernels: `src/engine/cuda/kernels/ordered/`. Arguments as `ordered/kernels.ts` gives them. */
import { EXTENT } from "../../../src/engine/cuda/ordered/kernels.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { type Cost, type CostRule, type LaunchReader, passOver } from "./cost.ts";

const FLOAT = 4;
/** Rows of a piece of a column sum: PIECE_ROWS of column_sums.cu. */
const PIECE_ROWS = 64;

/** Elements of the lower triangle of a square, its diagonal included. */
function triangle(length: number): number {
  return length * (length + 1) / 2;
}

const EXTENT_NAMES: ReadonlyMap<number, string> = new Map([
  [EXTENT.lower, ", lower triangle"],
  [EXTENT.endsAtRow, ", lower-triangular A"],
  [EXTENT.startsAtRow, ", upper-triangular A"],
]);

/** matmul(a, b, c, bias, m, n, k, three row strides, six problem strides, inner, extent, fresh) */
function matmul(launch: LaunchReader): Cost {
  const [m, n, k, extent] = [launch.number(4), launch.number(5), launch.number(6), launch.number(17)];
  const [, , problems] = launch.grid;
  const products = extent === EXTENT.full ? m * n * k : extent === EXTENT.lower ? triangle(m) * k : triangle(m) * n;
  const a = extent === EXTENT.endsAtRow || extent === EXTENT.startsAtRow ? triangle(m) : m * k;
  const c = extent === EXTENT.lower ? triangle(m) : m * n;
  const fresh = launch.number(18) === 1;
  const layout = launch.launch.kernel.split("_")[1];
  const count = problems > 1 ? `${problems} × ` : "";
  return {
    flops: problems * 2 * products,
    bytes: problems * FLOAT * (a + n * k + (fresh ? 1 : 2) * c),
    unit: "f32",
    shape: `${count}${layout} ${m}×${n}×${k}${EXTENT_NAMES.get(extent) ?? ""}`,
  };
}

/** Kernels of one row a warp: rows and width are arguments. */
function rowwise(rows: number, width: number, flops: number, bytes: number): CostRule {
  return (launch) => {
    const elements = launch.number(rows) * launch.number(width);
    return passOver(bytes * elements, flops * elements);
  };
}

/** Kernels of one thread an element: the count is an argument. */
function elementwise(count: number, flops: number, bytes: number): CostRule {
  return (launch) => passOver(bytes * launch.number(count), flops * launch.number(count));
}

/** Every kernel of the mode. */
export const ORDERED_COSTS: Readonly<Record<string, CostRule>> = {
  ...Object.fromEntries(
    ["nt", "nn", "tn"].flatMap((layout) =>
      ["128x128", "128x64", "32x32"].map((tile) => [`matmul_${layout}_${tile}`, matmul])
    ),
  ),
  normalize: rowwise(3, 4, 8, 8),
  scale_and_shift: elementwise(4, 2, 8),
  scale_gradient: (launch) => {
    const pair = launch.has(2);
    return passOver((pair ? 12 : 8) * launch.number(5), (pair ? 3 : 1) * launch.number(5));
  },
  normalize_backward: rowwise(4, 5, 8, 16),
  rotate: elementwise(3, 6, 16),
  causal_softmax: (launch) => {
    const elements = launch.number(1) / launch.number(2) * triangle(launch.number(2));
    return passOver(8 * elements, 25 * elements);
  },
  causal_softmax_backward: (launch) => {
    const [rows, length, headSize] = [launch.number(4), launch.number(5), launch.number(7)];
    const elements = rows / length * triangle(length);
    return passOver(12 * elements + 8 * rows * headSize, 4 * elements + 2 * rows * headSize);
  },
  column_pieces: (launch) => {
    const length = launch.number(3), width = launch.number(4);
    const sequences = launch.grid[1] / Math.ceil(length / PIECE_ROWS);
    const elements = sequences * length * width, product = launch.has(1);
    return passOver((product ? 8 : 4) * elements + FLOAT * launch.grid[1] * width, (product ? 2 : 1) * elements);
  },
  join_column_pieces: (launch) => {
    const elements = launch.grid[1] * launch.number(3) * launch.number(4);
    return passOver(FLOAT * elements, elements);
  },
  gelu: (launch) => passOver((launch.has(1) ? 12 : 8) * launch.number(2), 40 * launch.number(2)),
  multiply_into: elementwise(2, 1, 12),
  add_into: elementwise(2, 1, 12),
  join_residual: elementwise(4, 3, 12),
  gather_rows: (launch) => passOver(8 * launch.grid[0] * launch.number(4)),
  scatter_rows: (launch) => {
    const read = launch.view(0).bytes, width = launch.number(5);
    return passOver(read + FLOAT * launch.grid[0] * width, read / FLOAT);
  },
  cross_entropy: rowwise(3, 5, 25, 8),
  sequence_losses: (launch) => passOver(FLOAT * launch.number(2) * launch.number(3)),
  chunk_sums_of_squares: ({ model }) => passOver(FLOAT * parameterCount(model), 2 * parameterCount(model)),
  tree_sum: elementwise(1, 1, 8),
  adamw: ({ model }) => passOver(28 * parameterCount(model), 14 * parameterCount(model)),
};
