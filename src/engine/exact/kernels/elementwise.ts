// Embedding rows, biases, residual sums, column sums and other passes over memory. AssemblyScript.

/** Embedding look-up: table (V, h), tokens u16 (T) → x (T, h). */
export function gatherRows(table: usize, tokens: usize, x: usize, rows: i32, width: i32): void {
  const bytes = <usize> width << 2;
  for (let row = 0; row < rows; row++) {
    memory.copy(x, table + <usize> load<u16>(tokens) * bytes, bytes);
    tokens += 2;
    x += bytes;
  }
}

/** Gradient of the look-up: dTable[token] += dx row by row, in ascending token position. */
export function scatterAddRows(dTable: usize, tokens: usize, dx: usize, rows: i32, width: i32): void {
  const bytes = <usize> width << 2;
  for (let row = 0; row < rows; row++) {
    add(dTable + <usize> load<u16>(tokens) * bytes, dx, width);
    tokens += 2;
    dx += bytes;
  }
}

/** y += x over n elements. */
export function add(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
}

/** y *= x over n elements. */
export function multiply(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    v128.store(y, f32x4.mul(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
}

/** y[row] += bias for every row: y (T, n), bias (n). */
export function addBias(y: usize, bias: usize, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    add(y, bias, width);
    y += <usize> width << 2;
  }
}

/** Tokens in a piece of a column sum (docs/arithmetic.md). */
const COLUMN_PIECE: i32 = 64;

/**
 * Column sums, joined to `sums`: dy (T, n) → sums (n). Rows are cut into pieces of 64; a piece is a chain from +0 in
 * ascending row order; the pieces are added to `sums` in ascending order.
 */
export function addColumnSums(dy: usize, sums: usize, rows: i32, width: i32): void {
  const stride = <usize> width << 2;
  for (let first = 0; first < rows; first += COLUMN_PIECE) {
    const last = min(rows, first + COLUMN_PIECE);
    for (let column: usize = 0; column < stride; column += 16) {
      let piece = f32x4.splat(0);
      let at = dy + <usize> first * stride + column;
      for (let row = first; row < last; row++) {
        piece = f32x4.add(piece, v128.load(at));
        at += stride;
      }
      v128.store(sums + column, f32x4.add(v128.load(sums + column), piece));
    }
  }
}

/** Column sums of dy · x̂, in the same order; the product is rounded before it is added. */
export function addColumnSumsOfProducts(dy: usize, normalized: usize, sums: usize, rows: i32, width: i32): void {
  const stride = <usize> width << 2;
  for (let first = 0; first < rows; first += COLUMN_PIECE) {
    const last = min(rows, first + COLUMN_PIECE);
    for (let column: usize = 0; column < stride; column += 16) {
      let piece = f32x4.splat(0);
      let offset = <usize> first * stride + column;
      for (let row = first; row < last; row++) {
        piece = f32x4.add(piece, f32x4.mul(v128.load(dy + offset), v128.load(normalized + offset)));
        offset += stride;
      }
      v128.store(sums + column, f32x4.add(v128.load(sums + column), piece));
    }
  }
}

/** y = value over n elements. */
export function fill(y: usize, n: i32, value: f32): void {
  const v = f32x4.splat(value);
  for (let i = 0; i < n; i += 4) {
    v128.store(y, v);
    y += 16;
  }
}
