/** Least work of the ordered mode's kernels, by the parameters that `src/engine/cuda/kernels/ordered/` names. */
import { EXTENT } from "../../../src/engine/cuda/ordered/kernels.ts";
import { TILES } from "../../../src/engine/cuda/ordered/matmul_tile.ts";
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

function matmul(launch: LaunchReader): Cost {
  const [m, n, k, extent] = [launch.number("m"), launch.number("n"), launch.number("k"), launch.number("extent")];
  const [, , problems] = launch.grid;
  const isTriangularA = extent === EXTENT.endsAtRow || extent === EXTENT.startsAtRow;
  const a = isTriangularA ? triangle(m) : m * k, c = extent === EXTENT.lower ? triangle(m) : m * n;
  const products = isTriangularA ? a * n : c * k;
  const passesOverC = launch.number("fresh") === 1 ? 1 : 2;
  const layout = launch.kernel.split("_")[1];
  return {
    flops: problems * 2 * products,
    bytes: problems * FLOAT * (a + n * k + passesOverC * c),
    unit: "f32",
    shape: `${problems > 1 ? `${problems} × ` : ""}${layout} ${m}×${n}×${k}${EXTENT_NAMES.get(extent) ?? ""}`,
  };
}

/** Kernels over (rows, width). */
function rowwise(flops: number, bytes: number): CostRule {
  return (launch) => {
    const elements = launch.number("rows") * launch.number("width");
    return passOver(bytes * elements, flops * elements);
  };
}

/** Kernels over `count` elements, or what they call it. */
function elementwise(flops: number, bytes: number, count = "count"): CostRule {
  return (launch) => passOver(bytes * launch.number(count), flops * launch.number(count));
}

/** Every kernel of the mode. */
export const ORDERED_COSTS: Readonly<Record<string, CostRule>> = {
  ...Object.fromEntries(
    ["nt", "nn", "tn"].flatMap((layout) =>
      TILES.map(({ rows, columns }) => [`matmul_${layout}_${rows}x${columns}`, matmul])
    ),
  ),
  normalize: rowwise(8, 8),
  scale_and_shift: elementwise(2, 8),
  scale_gradient: (launch) => {
    const isPair = launch.bytes("dy2") > 0, count = launch.number("count");
    return passOver((isPair ? 12 : 8) * count, (isPair ? 3 : 1) * count);
  },
  normalize_backward: rowwise(8, 16),
  rotate: elementwise(6, 16, "pairs"),
  causal_softmax: (launch) => {
    const elements = launch.number("rows") / launch.number("length") * triangle(launch.number("length"));
    return passOver(8 * elements, 25 * elements);
  },
  causal_softmax_backward: (launch) => {
    const [rows, length, headSize] = [launch.number("rows"), launch.number("length"), launch.number("head_size")];
    const elements = rows / length * triangle(length);
    return passOver(12 * elements + 8 * rows * headSize, 4 * elements + 2 * rows * headSize);
  },
  column_pieces: (launch) => {
    const length = launch.number("length"), width = launch.number("width"), [, pieces] = launch.grid;
    const elements = pieces / Math.ceil(length / PIECE_ROWS) * length * width;
    const isProduct = launch.bytes("normalized") > 0;
    return passOver((isProduct ? 8 : 4) * elements + FLOAT * pieces * width, (isProduct ? 2 : 1) * elements);
  },
  join_column_pieces: (launch) => {
    const elements = launch.grid[1] * launch.number("count") * launch.number("width");
    return passOver(FLOAT * elements, elements);
  },
  gelu: (launch) => {
    const count = launch.number("count");
    return passOver((launch.bytes("derivative") > 0 ? 12 : 8) * count, 40 * count);
  },
  multiply_into: elementwise(1, 12),
  add_into: elementwise(1, 12),
  join_residual: elementwise(3, 12),
  gather_rows: (launch) => passOver(2 * FLOAT * launch.grid[0] * launch.number("width")),
  scatter_rows: (launch) => {
    const read = launch.bytes("dx");
    return passOver(read + FLOAT * launch.grid[0] * launch.number("width"), read / FLOAT);
  },
  cross_entropy: rowwise(25, 8),
  sequence_losses: (launch) => passOver(FLOAT * launch.number("sequences") * launch.number("length")),
  chunk_sums_of_squares: ({ model }) => passOver(FLOAT * parameterCount(model), 2 * parameterCount(model)),
  tree_sum: elementwise(1, 8),
  adamw: ({ model }) => passOver(28 * parameterCount(model), 14 * parameterCount(model)),
};
