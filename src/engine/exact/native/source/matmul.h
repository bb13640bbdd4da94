// Matrix products with ordered sums: C[i, j] = Σ_k A[i, k] · B[k, j], one chain of fma per element, k ascending.
// A panel of COLUMNS columns of B meets rows of A, packed or in place, tile by tile. 2 · m · n · k FLOPs.
#pragma once
#include "packing.h"

/** Which part of a product a causal mask leaves; SHAPE in kernels.ts. */
enum {
  LOWER = 1, // only elements with column ≤ row are needed
  ENDS_AT_ROW = 2, // A is lower triangular: k runs up to the row
  STARTS_AT_ROW = 3, // A is upper triangular: k runs from the row
};

enum {
  K_BLOCK = 256, // a panel of 256 × 32 floats fits two thirds of a first-level cache of 48 KiB
  ROW_BLOCK = 19 * TILE_ROWS, // packed, at most 312 KiB: in the second level
  MARGIN = 12, // zeros beyond the diagonal that a masked product may read
};

/** Floats that `scratch` must have; layout.ts takes the most that any kernels need. */
_Static_assert(COLUMNS * K_BLOCK + 19 * (K_BLOCK * SLOT + 16) <= 512 * 8 + 258 * 512, "scratch memory is too small");

/** A rectangle of A that is packed next: brought near, some rows at each tile, while the tiles before it compute. */
typedef struct {
  const float *at;
  size_t ld;
  int rows, width, rowsAtATime;
} Ahead;

INLINE void fetchAhead(Ahead *x) {
  for (int r = 0; r < x->rowsAtATime && x->rows > 0; r++, x->rows--, x->at += x->ld)
    for (int i = 0; i < x->width; i += 16) __builtin_prefetch(x->at + i, 0, 2);
}

/** Tiles of one block of rows against one packed panel. */
typedef struct {
  Split split;
  int block; // first row
  int first, steps; // of k
  int column, count; // of B
  int shape, transposedA, inPlace;
  const float *a; // the block's first element in A
  size_t lda;
  const float *packed;
  Ahead ahead;
} PanelWork;

static void multiplyPanel(PanelWork *p, const float *panel, float *c, size_t ldc, int fresh) {
  const Split s = p->split;
  const int vectors = (p->count + W - 1) / W, last = p->count - (vectors - 1) * W;
  int t = 0;
  if (p->shape == LOWER) while (t < s.count && p->block + firstRow(s, t + 1) <= p->column) t++;
  for (; t < s.count; t++) {
    const int row = firstRow(s, t), rows = rowsOf(s, t), below = p->block + row;
    float *to = c + (size_t)below * ldc + p->column;
    TileWork work = {.k = p->steps, .b = panel, .c = to, .ldc = ldc, .last = last, .fresh = fresh};
    work.next = t + 1 < s.count ? to + rows * ldc : to;
    int wide = vectors;
    if (!p->inPlace) {
      fetchAhead(&p->ahead);
      work.a = p->packed + t * tileRoom(p->steps);
      work.stepStride = SLOT;
      // Right of the diagonal nothing is needed.
      if (p->shape == LOWER && vectors == 2 && below + rows <= p->column + W) wide = 1, work.last = W;
      tilesByColumns[wide - 1][rows](&work);
      continue;
    }
    const int start = p->shape == STARTS_AT_ROW ? least(most(0, below - p->first), p->steps) : 0;
    const int stop = p->shape == ENDS_AT_ROW ? least(p->steps, below + rows - p->first) : p->steps;
    work.k = stop - start;
    work.b = panel + (size_t)start * COLUMNS;
    if (p->transposedA) {
      work.a = p->a + (size_t)start * p->lda + row;
      work.stepStride = p->lda;
      tilesByColumns[wide - 1][rows](&work);
    } else {
      work.a = p->a + (size_t)row * p->lda + start;
      work.rowStride = p->lda;
      tilesByRows[wide - 1][rows](&work);
    }
  }
}

static void multiplyMatrices(int m, int n, int k, const float *a, size_t lda, int transposedA, const float *b, size_t ldb,
                             int transposedB, float *c, size_t ldc, float *scratch, int shape, int fresh) {
  float *panel = scratch, *packed = scratch + COLUMNS * K_BLOCK;
  const int triangular = shape == ENDS_AT_ROW || shape == STARTS_AT_ROW;
  const int inPlace = triangular || (!transposedA && n <= COLUMNS);
  for (int block = 0; block < m; block += ROW_BLOCK) {
    for (int first = 0; first < k; first += K_BLOCK) {
      const int rows = least(m - block, ROW_BLOCK), end = shape == LOWER ? least(n, block + rows) : n;
      PanelWork work = {.block = block, .first = first, .shape = shape, .transposedA = transposedA, .inPlace = inPlace};
      work.split = splitRows(rows, triangular ? least(TILE_ROWS, MARGIN + 1) : TILE_ROWS);
      work.steps = least(k - first, K_BLOCK);
      work.a = transposedA ? a + first * lda + block : a + block * lda + first;
      work.lda = lda;
      work.packed = packed;
      if (!inPlace && transposedA) packColumns(packed, work.a, lda, work.split, work.steps, m - block);
      else if (!inPlace) packRows(packed, work.a, lda, work.split, work.steps, m - block);
      if (!inPlace) {
        const int ends = first + K_BLOCK >= k, nextFirst = ends ? 0 : first + K_BLOCK;
        const int nextBlock = ends ? block + ROW_BLOCK : block;
        const int nextSteps = least(k - nextFirst, K_BLOCK), nextRows = most(0, least(m - nextBlock, ROW_BLOCK));
        const int tiles = (end + COLUMNS - 1) / COLUMNS * work.split.count;
        Ahead *ahead = &work.ahead;
        ahead->at = transposedA ? a + nextFirst * lda + nextBlock : a + nextBlock * lda + nextFirst;
        ahead->ld = lda;
        ahead->rows = nextRows == 0 ? 0 : transposedA ? nextSteps : nextRows;
        ahead->width = transposedA ? nextRows : nextSteps;
        ahead->rowsAtATime = (ahead->rows + tiles - 1) / most(1, tiles);
      }
      for (int column = 0; column < end; column += COLUMNS) {
        work.column = column;
        work.count = least(COLUMNS, n - column);
        packPanel(panel, b, ldb, column, work.count, first, work.steps, transposedB);
        multiplyPanel(&work, panel, c, ldc, fresh && first == 0);
      }
    }
  }
}
