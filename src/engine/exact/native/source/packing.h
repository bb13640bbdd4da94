// Operands of a matrix product, copied so that a tile reads them front to back. No copy reads beyond its matrix.
#pragma once
#include "tile.h"

enum { SLOT = (TILE_ROWS + W - 1) / W * W }; // floats from one step of k to the next in packed rows of A

/** Rows in tiles as even as can be: the first `extra` of them hold one row more than `rows`. */
typedef struct {
  int count, rows, extra;
} Split;

INLINE Split splitRows(int m, int largest) {
  const int count = (m + largest - 1) / largest;
  return (Split){count, m / count, m % count};
}
INLINE int firstRow(Split s, int t) { return t * s.rows + least(t, s.extra); }
INLINE int rowsOf(Split s, int t) { return s.rows + (t < s.extra); }

/** Transposes W × W floats: rows `ld` apart become columns, `step` apart. */
INLINE void transposeWhole(float *to, size_t step, const float *from, size_t ld) {
  vec r[W];
  UNROLL for (int i = 0; i < W; i++) r[i] = load(from + i * ld);
  transposeVectors(r);
  UNROLL for (int i = 0; i < W; i++) store(to + i * step, r[i]);
}

/** The same for no more than `rows` × `columns`; rows that are missing become zeros. */
static void transposePart(float *to, size_t step, const float *from, size_t ld, int rows, int columns) {
  vec r[W];
  UNROLL for (int i = 0; i < W; i++) r[i] = i < rows ? loadPart(from + i * ld, columns) : splat(0);
  transposeVectors(r);
  UNROLL for (int i = 0; i < W; i++)
    if (i < columns) store(to + i * step, r[i]);
}

/** W rows of k floats to k slots of W, `step` apart; only the first `rows` exist. */
INLINE void transposeRows(float *to, size_t step, const float *from, size_t ld, int rows, int k) {
  int i = 0;
  if (rows >= W) for (; i + W <= k; i += W) transposeWhole(to + i * step, step, from + i, ld);
  for (; i < k; i += W) transposePart(to + i * step, step, from + i, ld, rows, least(W, k - i));
}

/** Columns [column, column + count) of B, steps [first, first + k), as (k, COLUMNS); missing columns are zeros. */
static void packPanel(float *panel, const float *b, size_t ldb, int column, int count, int first, int k, int transposed) {
  if (transposed) {
    const float *from = b + column * ldb + first;
    transposeRows(panel, COLUMNS, from, ldb, count, k);
    if (count > W) transposeRows(panel + W, COLUMNS, from + W * ldb, ldb, count - W, k);
    return;
  }
  const float *from = b + first * ldb + column;
  const int low = least(count, W), high = count - low;
  if (high == W) {
    for (int i = 0; i < k; i++, from += ldb, panel += COLUMNS) {
      store(panel, load(from));
      store(panel + W, load(from + W));
    }
  } else {
    for (int i = 0; i < k; i++, from += ldb, panel += COLUMNS) {
      store(panel, loadPart(from, low));
      if (high > 0) store(panel + W, loadPart(from + W, high));
    }
  }
}

/** Floats from one packed tile of A to the next: a line more than it holds, so that tiles lie in different cache sets. */
INLINE size_t tileRoom(int k) { return (size_t)k * SLOT + 16; }

/** One tile of A's rows as (k, SLOT). `available` rows of A follow; what a slot holds beyond the tile's is never used. */
static void packRows(float *packed, const float *a, size_t lda, int rows, int k, int available) {
  for (int v = 0; v < rows; v += W) transposeRows(packed + v, SLOT, a + v * lda, lda, available - v, k);
}

/** The same from Aᵀ (k, m): the rows of the tile stand side by side. */
static void packColumns(float *packed, const float *a, size_t lda, int rows, int k, int available) {
  if (available >= SLOT) {
    for (int i = 0; i < k; i++, a += lda, packed += SLOT)
      UNROLL for (int v = 0; v < SLOT; v += W) store(packed + v, load(a + v));
    return;
  }
  for (int i = 0; i < k; i++, a += lda, packed += SLOT)
    for (int v = 0; v < rows; v += W) store(packed + v, loadPart(a + v, least(W, available - v)));
}
