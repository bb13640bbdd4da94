/**
 * The numbers, sums and matrix products of docs/arithmetic.md §1 and §2 in plain TypeScript, written from that page and
 * from nothing else, so that the exact engine has something independent to be compared with. Slow and plain on purpose.
 */

const { fround } = Math;
const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer); // low word first on every machine that Deno runs on
const single = new Float32Array(1);
const singleWord = new Uint32Array(single.buffer);

/** The f32 with this bit pattern. */
export function fromBits(bits: number): number {
  singleWord[0] = bits;
  return single[0]!;
}

/** The bit pattern of an f32. */
export function toBits(value: number): number {
  single[0] = value;
  return singleWord[0]!;
}

/**
 * a · b + c of three f32, rounded once to f32. The product is exact in doubles; the rounding error of the sum, found
 * exactly by Knuth's two-sum, decides the last bit of the double ("round to odd"), which makes the second rounding right.
 */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const rounded = fround(sum);
  if (rounded === sum || !Number.isFinite(sum)) return rounded;
  const shadow = sum - product;
  const error = (product - (sum - shadow)) + (c - shadow);
  if (error === 0) return rounded;
  double[0] = sum;
  if ((doubleWords[0]! & 1) === 0) {
    // The last bit is even: step to the neighbour on the side of the exact value, whose last bit is odd.
    if (error > 0 === sum > 0) doubleWords[0] = doubleWords[0]! | 1;
    else if (doubleWords[0]! !== 0) doubleWords[0] = doubleWords[0]! - 1;
    else {
      doubleWords[0] = 0xffffffff;
      doubleWords[1] = doubleWords[1]! - 1;
    }
  }
  return fround(double[0]!);
}

/** Sum of `length` terms in 32 lanes and their tree: `join(sum, i)` adds term i to a lane's sum. */
export function laneSum(length: number, join: (sum: number, index: number) => number): number {
  const lanes = new Array<number>(32).fill(0);
  for (let i = 0; i < length; i++) lanes[i % 32] = join(lanes[i % 32]!, i);
  for (let apart = 16; apart >= 1; apart /= 2) {
    for (let lane = 0; lane < apart; lane++) lanes[lane] = fround(lanes[lane]! + lanes[lane + apart]!);
  }
  return lanes[0]!;
}

/** Pairwise tree over a list: neighbours are added until one is left; an odd last one passes on. */
export function pairwiseTree<T>(list: readonly T[], add: (left: T, right: T) => T): T {
  let level = [...list];
  while (level.length > 1) {
    const next: T[] = [];
    for (let i = 0; i < level.length; i += 2) {
      next.push(i + 1 < level.length ? add(level[i]!, level[i + 1]!) : level[i]!);
    }
    level = next;
  }
  return level[0]!;
}

/** Pairwise tree over f32. */
export function treeSum(list: readonly number[]): number {
  return pairwiseTree(list, (left, right) => fround(left + right));
}

/** A rectangle of f32 inside a vector: element (i, j) is `data[offset + i · rowStride + j · columnStride]`. */
export interface Matrix {
  readonly data: Float32Array;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** A dense row-major matrix over a vector, by default a new one of zeros. */
export function matrix(
  rows: number,
  columns: number,
  data: Float32Array = new Float32Array(rows * columns),
  offset = 0,
): Matrix {
  return { data, offset, rows, columns, rowStride: columns, columnStride: 1 };
}

/** The same elements, rows and columns exchanged. */
export function transpose(m: Matrix): Matrix {
  return { ...m, rows: m.columns, columns: m.rows, rowStride: m.columnStride, columnStride: m.rowStride };
}

/** Columns `first` … `first + count − 1` of a matrix. */
export function columns(m: Matrix, first: number, count: number): Matrix {
  return { ...m, offset: m.offset + first * m.columnStride, columns: count };
}

/** Element (i, j). */
export function at(m: Matrix, i: number, j: number): number {
  return m.data[m.offset + i * m.rowStride + j * m.columnStride]!;
}

/** Writes element (i, j), rounded to f32. */
export function put(m: Matrix, i: number, j: number, value: number): void {
  m.data[m.offset + i * m.rowStride + j * m.columnStride] = value;
}

/** C += A · B: every element of C goes on as one chain of fma over k ascending. */
export function addProduct(c: Matrix, a: Matrix, b: Matrix): void {
  if (a.rows !== c.rows || b.columns !== c.columns || a.columns !== b.rows) throw new Error("Shapes do not fit");
  for (let i = 0; i < c.rows; i++) {
    for (let j = 0; j < c.columns; j++) {
      let sum = at(c, i, j);
      for (let k = 0; k < a.columns; k++) sum = fma(at(a, i, k), at(b, k, j), sum);
      put(c, i, j, sum);
    }
  }
}

/** A · B from +0. */
export function product(a: Matrix, b: Matrix): Matrix {
  const c = matrix(a.rows, b.columns);
  addProduct(c, a, b);
  return c;
}

/** A new dense matrix of `f(i, j)`, each rounded to f32. */
export function build(rows: number, columns: number, f: (i: number, j: number) => number): Matrix {
  const result = matrix(rows, columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) put(result, i, j, f(i, j));
  return result;
}

/** `sums[j]` += column sum of `term(i, j)`, in pieces of 64 rows. */
export function addColumnSums(sums: Float32Array, rows: number, term: (i: number, j: number) => number): void {
  for (let j = 0; j < sums.length; j++) {
    for (let first = 0; first < rows; first += 64) {
      let piece = 0;
      for (let i = first; i < Math.min(rows, first + 64); i++) piece = fround(piece + term(i, j));
      sums[j] = sums[j]! + piece;
    }
  }
}
