/** The ordered mode's kernels as typed calls: sizes are checked before a launch, since a wrong one ends the process. */
import type { Device } from "../driver/device.ts";
import type { Kernel } from "../driver/kernel.ts";
import type { Module } from "../driver/module.ts";
import { NOTHING, slice, type View } from "../driver/view.ts";
import { FLOAT_BYTES, need } from "../views.ts";
import type { UpdateScalars } from "../../ordered/update_scalars.ts";
import { chooseTile, type Tile, tileGrid, TILES } from "./matmul_tile.ts";

/** Threads of a block where one thread takes one element. */
const THREADS = 256;
/** Rows of a block where one warp takes one row. */
const WARPS = 8;
/** Threads of the single block that adds up a tree. */
const TREE_THREADS = 1024;
/** Rows of a piece of a column sum (docs/arithmetic.md §2). */
const PIECE_ROWS = 64;

/** How the operands lie: `nt` C = A · Bᵀ, `nn` C = A · B, `tn` C = Aᵀ · B, all row-major. */
export type MatmulLayout = "nt" | "nn" | "tn";

/** The part of a triangle that a matmul needs; the numbers are those of `Extent` in matmul.cuh. */
export const EXTENT = { full: 0, lower: 1, endsAtRow: 2, startsAtRow: 3 } as const;

/** An operand with the number of elements from row to row, and from problem to problem. */
export interface Operand {
  readonly view: View;
  readonly rowStride: number;
  /** elements between problems of the outer and of the inner count */
  readonly strides?: readonly [outer: number, inner: number];
}

/** C (m, n) from A and B with a shared dimension k. */
export interface Matmul {
  readonly layout: MatmulLayout;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  /** added to finished chains (n) */
  readonly bias?: View;
  /** matmuls of this shape in one launch: outer times inner; default: one */
  readonly problems?: readonly [outer: number, inner: number];
  readonly extent?: (typeof EXTENT)[keyof typeof EXTENT];
  /** adds to what C holds; default: starts from +0 */
  readonly joins?: boolean;
  /** default: chosen by the shape; it changes no bit */
  readonly tile?: Tile;
}

/** As `need`, of f32. */
function needFloats(view: View, elements: number): View {
  return need(view, elements, FLOAT_BYTES);
}

/** Refuses what a 32-bit parameter cannot hold. */
function u32(value: number): number {
  if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
    throw new RangeError(`${value} is beyond what a kernel can count`);
  }
  return value;
}

function optional(view: View | undefined, elements: number): View {
  return view === undefined ? NOTHING : needFloats(view, elements);
}

/** Parameters of the matmuls, which are alike for every layout and tile. */
const MATMUL = "ppppuuuuuuuuuuuuuuu";

/** Parameters of all other kernels. */
const SIGNATURES = {
  normalize: "pppuuf",
  scale_and_shift: "ppppuu",
  scale_gradient: "pppppuu",
  normalize_backward: "ppppuu",
  rotate: "pppuuuuuf",
  causal_softmax: "puuf",
  causal_softmax_backward: "ppppuuuuuf",
  column_pieces: "pppuu",
  join_column_pieces: "pppuuu",
  gelu: "ppl",
  multiply_into: "ppl",
  add_into: "ppl",
  join_residual: "ppppuu",
  gather_rows: "pppuu",
  scatter_rows: "pppppuu",
  cross_entropy: "pppuuuf",
  sequence_losses: "ppuu",
  chunk_sums_of_squares: "pppu",
  tree_sum: "pu",
  adamw: "ppppppfffffffff",
} as const;

type KernelName = keyof typeof SIGNATURES;

/** Every kernel with its parameters, to be checked against the source. */
export const ORDERED_SIGNATURES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    (["nt", "nn", "tn"] as const).flatMap((layout) => TILES.map((tile) => [matmulName(layout, tile), MATMUL])),
  ),
  ...SIGNATURES,
};

function matmulName(layout: MatmulLayout, { rows, columns }: Tile): string {
  return `matmul_${layout}_${rows}x${columns}`;
}

/** Kernels of `kernels/ordered/` on one device. Shapes are documented at each kernel. */
export class OrderedKernels {
  readonly #device: Device;
  readonly #module: Module;
  readonly #kernels = new Map<string, Kernel>();

  constructor(device: Device, module: Module) {
    this.#device = device;
    this.#module = module;
  }

  #kernel<N extends KernelName>(name: N): Kernel<(typeof SIGNATURES)[N]> {
    return this.#find(name, SIGNATURES[name]);
  }

  #find<S extends string>(name: string, signature: S): Kernel<S> {
    let kernel = this.#kernels.get(name);
    if (kernel === undefined) {
      kernel = this.#module.kernel(name, signature);
      this.#kernels.set(name, kernel);
    }
    return kernel as Kernel<S>;
  }

  matmul(matmul: Matmul): void {
    const { layout, m, n, k, a, b, c, bias, problems = [1, 1], extent = EXTENT.full, joins = false } = matmul;
    const [outer, inner] = problems;
    const check = ({ view, rowStride, strides = [0, 0] }: Operand, rows: number, columns: number): View =>
      needFloats(view, (outer - 1) * strides[0] + (inner - 1) * strides[1] + (rows - 1) * rowStride + columns);
    const { tile = chooseTile(m, n, outer * inner) } = matmul;
    const [down, across] = tileGrid(tile, m, n);
    const kernel = this.#find(matmulName(layout, tile), MATMUL);
    const strides = [a, b, c].flatMap(({ strides: [o, i] = [0, 0] }) => [u32(o), u32(i)]);
    this.#device.launch(
      kernel,
      { grid: [across, down, outer * inner], block: tile.threads, sharedBytes: tile.sharedBytes },
      layout === "tn" ? check(a, k, m) : check(a, m, k),
      layout === "nt" ? check(b, n, k) : check(b, k, n),
      check(c, m, n),
      optional(bias, n),
      u32(m),
      u32(n),
      u32(k),
      u32(a.rowStride),
      u32(b.rowStride),
      u32(c.rowStride),
      ...strides as [number, number, number, number, number, number],
      u32(inner),
      extent,
      joins ? 0 : 1,
    );
  }

  #rows(rows: number): { grid: number; block: number } {
    return { grid: Math.ceil(rows / WARPS), block: WARPS * 32 };
  }

  #elements(count: number): { grid: number; block: number } {
    return { grid: Math.ceil(count / THREADS), block: THREADS };
  }

  normalize(x: View, normalized: View, rstds: View, rows: number, width: number, epsilon: number): void {
    const size = rows * width;
    const kernel = this.#kernel("normalize");
    this.#device.launch(
      kernel,
      this.#rows(rows),
      needFloats(x, size),
      needFloats(normalized, size),
      needFloats(rstds, rows),
      u32(rows),
      u32(width),
      epsilon,
    );
  }

  scaleAndShift(normalized: View, gamma: View, beta: View, y: View, rows: number, width: number): void {
    const count = u32(rows * width);
    this.#device.launch(
      this.#kernel("scale_and_shift"),
      this.#elements(count),
      needFloats(normalized, count),
      needFloats(gamma, width),
      needFloats(beta, width),
      needFloats(y, count),
      count,
      u32(width),
    );
  }

  /** d = dy₁ · γ₁, joined by dy₂ · γ₂ if there is a second. */
  scaleGradient(
    first: { readonly dy: View; readonly gamma: View },
    second: { readonly dy: View; readonly gamma: View } | undefined,
    d: View,
    rows: number,
    width: number,
  ): void {
    const count = u32(rows * width);
    this.#device.launch(
      this.#kernel("scale_gradient"),
      this.#elements(count),
      needFloats(first.dy, count),
      needFloats(first.gamma, width),
      optional(second?.dy, count),
      optional(second?.gamma, width),
      needFloats(d, count),
      count,
      u32(width),
    );
  }

  normalizeBackward(d: View, normalized: View, rstds: View, dx: View, rows: number, width: number): void {
    const count = rows * width;
    this.#device.launch(
      this.#kernel("normalize_backward"),
      this.#rows(rows),
      needFloats(d, count),
      needFloats(normalized, count),
      needFloats(rstds, rows),
      needFloats(dx, count),
      u32(rows),
      u32(width),
    );
  }

  /** Queries and keys of qkv (rows, heads, 3, d), tables (length, half). */
  rotate(
    qkv: View,
    tables: { readonly cosines: View; readonly sines: View },
    shape: { readonly rows: number; readonly length: number; readonly heads: number; readonly headSize: number },
    half: number,
    sign: 1 | -1,
  ): void {
    if (half === 0) return;
    const { rows, length, heads, headSize } = shape;
    const pairs = u32(rows * heads * 2 * half);
    this.#device.launch(
      this.#kernel("rotate"),
      this.#elements(pairs),
      needFloats(qkv, rows * heads * 3 * headSize),
      needFloats(tables.cosines, length * half),
      needFloats(tables.sines, length * half),
      pairs,
      length,
      heads,
      headSize,
      half,
      sign,
    );
  }

  causalSoftmax(scores: View, problems: number, length: number, scale: number): void {
    const rows = u32(problems * length);
    this.#device.launch(
      this.#kernel("causal_softmax"),
      this.#rows(rows),
      needFloats(scores, rows * length),
      rows,
      length,
      scale,
    );
  }

  /** Problems are `sequences` × `heads`; rows of output and its gradient have `width` elements. */
  causalSoftmaxBackward(
    probabilities: View,
    gradients: View,
    output: View,
    outputGradient: View,
    shape: { sequences: number; heads: number; length: number; headSize: number; width: number },
    scale: number,
  ): void {
    const { sequences, heads, length, headSize, width } = shape;
    const rows = u32(sequences * heads * length);
    const reach = (sequences * length - 1) * width + heads * headSize;
    this.#device.launch(
      this.#kernel("causal_softmax_backward"),
      this.#rows(rows),
      needFloats(probabilities, rows * length),
      needFloats(gradients, rows * length),
      needFloats(output, reach),
      needFloats(outputGradient, reach),
      rows,
      length,
      heads,
      headSize,
      width,
      scale,
    );
  }

  /**
   * Column sums of dy, or of dy · x̂, for each gradient block of a micro-batch.
   *
   * @param pieces work area of `columnPieces(…) · width` floats
   * @param sums first block's sums (width), the next `stride` elements further
   * @param twin takes the same sums, if given
   */
  columnSums(
    { dy, normalized, pieces, sums, twin }: { dy: View; normalized?: View; pieces: View; sums: View; twin?: View },
    { blocks, sequencesPerBlock, length, width, stride }: {
      blocks: number;
      sequencesPerBlock: number;
      length: number;
      width: number;
      stride: number;
    },
  ): void {
    const sequences = blocks * sequencesPerBlock;
    const count = columnPieces(sequencesPerBlock, length);
    const size = sequences * length * width;
    const across = Math.ceil(width / THREADS);
    this.#device.launch(
      this.#kernel("column_pieces"),
      { grid: [across, blocks * count, 1], block: THREADS },
      needFloats(dy, size),
      optional(normalized, size),
      needFloats(pieces, blocks * count * width),
      length,
      width,
    );
    const reach = (blocks - 1) * stride + width;
    this.#device.launch(
      this.#kernel("join_column_pieces"),
      { grid: [across, blocks, 1], block: THREADS },
      pieces,
      needFloats(sums, reach),
      optional(twin, reach),
      count,
      width,
      u32(stride),
    );
  }

  /** +0 in the first `count` elements. */
  fillZero(x: View, count: number): void {
    this.#device.fill32(slice(x, 0, count * FLOAT_BYTES), 0);
  }

  gelu(x: View, derivative: View | undefined, count: number): void {
    const kernel = this.#kernel("gelu");
    this.#device.launch(kernel, this.#elements(count), needFloats(x, count), optional(derivative, count), count);
  }

  multiplyInto(y: View, x: View, count: number): void {
    const kernel = this.#kernel("multiply_into");
    this.#device.launch(kernel, this.#elements(count), needFloats(y, count), needFloats(x, count), count);
  }

  addInto(y: View, x: View, count: number): void {
    const kernel = this.#kernel("add_into");
    this.#device.launch(kernel, this.#elements(count), needFloats(y, count), needFloats(x, count), count);
  }

  joinResidual(residual: View, update: View, bias1: View, bias2: View, rows: number, width: number): void {
    const count = u32(rows * width);
    this.#device.launch(
      this.#kernel("join_residual"),
      this.#elements(count),
      needFloats(residual, count),
      needFloats(update, count),
      needFloats(bias1, width),
      needFloats(bias2, width),
      count,
      width,
    );
  }

  /** tokens u16 (sequences, length + 1) → x (sequences · length, width) */
  gatherRows(table: View, tokens: View, x: View, sequences: number, length: number, width: number): void {
    this.#device.launch(
      this.#kernel("gather_rows"),
      { grid: [sequences * length, Math.ceil(width / THREADS), 1], block: THREADS },
      needFloats(table, width),
      need(tokens, sequences * (length + 1), 2),
      needFloats(x, sequences * length * width),
      length,
      width,
    );
  }

  /** See `EmbeddingIndex`: `count` ids; the first block's table starts at `table`, the next `stride` elements further. */
  scatterRows(
    dx: View,
    index: { readonly ids: View; readonly starts: View; readonly rows: View; readonly count: number },
    table: View,
    width: number,
    stride: number,
  ): void {
    this.#device.launch(
      this.#kernel("scatter_rows"),
      { grid: [index.count, Math.ceil(width / THREADS), 1], block: THREADS },
      dx,
      needFloats(index.ids, index.count),
      needFloats(index.starts, index.count + 1),
      index.rows,
      table,
      width,
      u32(stride),
    );
  }

  /** logits (sequences · length, width) spent or, with a weight, turned into their gradient; losses of each token. */
  crossEntropy(
    logits: View,
    tokens: View,
    losses: View,
    sequences: number,
    length: number,
    width: number,
    weight: number,
  ): void {
    const rows = sequences * length;
    this.#device.launch(
      this.#kernel("cross_entropy"),
      this.#rows(rows),
      needFloats(logits, rows * width),
      need(tokens, sequences * (length + 1), 2),
      needFloats(losses, rows),
      rows,
      length,
      width,
      weight,
    );
  }

  sequenceLosses(losses: View, sums: View, sequences: number, length: number): void {
    this.#device.launch(
      this.#kernel("sequence_losses"),
      this.#rows(sequences),
      needFloats(losses, sequences * length),
      needFloats(sums, sequences),
      sequences,
      length,
    );
  }

  /** Σ g² over all chunks by the pairwise tree; the root ends in the first element of `sums`. */
  /** Σ g² of each of some chunks. */
  chunkSquares(gradient: View, chunks: View, sums: View, count: number): void {
    this.#device.launch(
      this.#kernel("chunk_sums_of_squares"),
      this.#rows(count),
      gradient,
      needFloats(chunks, 2 * count),
      needFloats(sums, count),
      u32(count),
    );
  }

  /** The sum of all chunks' sums into the first. */
  treeSum(sums: View, count: number): void {
    const all = needFloats(sums, count);
    this.#device.launch(this.#kernel("tree_sum"), { grid: 1, block: TREE_THREADS }, all, u32(count));
  }

  adamw(
    state: { readonly weights: View; readonly firstMoments: View; readonly secondMoments: View },
    gradient: View,
    chunks: { readonly ranges: View; readonly decayed: View; readonly count: number },
    s: UpdateScalars,
  ): void {
    this.#device.launch(
      this.#kernel("adamw"),
      { grid: chunks.count, block: THREADS },
      state.weights,
      need(state.firstMoments, state.weights.bytes, 1),
      need(state.secondMoments, state.weights.bytes, 1),
      need(gradient, state.weights.bytes, 1),
      needFloats(chunks.ranges, 2 * chunks.count),
      need(chunks.decayed, chunks.count, 1),
      s.clip,
      s.beta1,
      s.oneMinusBeta1,
      s.beta2,
      s.oneMinusBeta2,
      s.stepSize,
      s.rootCorrection2,
      s.epsilon,
      s.decay,
    );
  }
}

/** Pieces that a gradient block's column sums are made of. */
export function columnPieces(sequencesPerBlock: number, length: number): number {
  return sequencesPerBlock * Math.ceil(length / PIECE_ROWS);
}
