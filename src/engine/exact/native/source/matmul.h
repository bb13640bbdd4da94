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

/** One block of rows times one block of k. */
typedef struct {
  Split split; // of the rows, in tiles
  int block, first, steps; // first row; first step of k and their number
  int shape, transposedA, inPlace, fresh;
  const float *a; // the block's first element in A
  size_t lda;
  int available; // rows of A from the first on
  float *packed; // A, a tile after the other, unless it is read in place
  float *c;
  size_t ldc;
} BlockWork;

/** A panel of B that the block is multiplied with, and where the next one lies. */
typedef struct {
  const float *packed;
  int column, count;
  int isFirst; // A is packed on its way through the first panel
  Ahead next;
} PanelWork;

INLINE int linesOf(const float *at, int floats) {
  return (int)(((size_t)at / 4 % LINE + floats + LINE - 1) / LINE);
}

INLINE void fetch(TileWork *work, const float *at, size_t ld, int rows, int floats) {
  work->ahead[work->aheadCount++] = (Ahead){at, ld, rows, linesOf(at, floats)};
}

/** Steps of k that a tile needs, from its first row and their number. */
typedef struct {
  int start, stop;
} Steps;

INLINE Steps stepsOf(const BlockWork *w, int row, int rows) {
  const int below = w->block + row - w->first; // the tile's first row, as a step of this block of k
  return (Steps){
    w->shape == STARTS_AT_ROW ? least(most(0, below), w->steps) : 0,
    w->shape == ENDS_AT_ROW ? most(0, least(w->steps, below + rows)) : w->steps,
  };
}

/** A tile's part of A, where it lies. */
INLINE const float *partOfA(const BlockWork *w, int row, int start) {
  return w->transposedA ? w->a + start * w->lda + row : w->a + row * w->lda + start;
}

/** What the tiles after tile t need: sums two tiles later, A where it is not packed yet, and a piece of B's next panel. */
INLINE void fetchAhead(const BlockWork *w, PanelWork *p, int t, TileWork *work) {
  const Split s = w->split;
  if (w->inPlace ? t + 1 < s.count : p->isFirst && t + 2 < s.count) {
    const int tile = w->inPlace ? t + 1 : t + 2, row = firstRow(s, tile), rows = rowsOf(s, tile);
    const Steps steps = stepsOf(w, row, rows);
    const float *at = partOfA(w, row, steps.start);
    const int count = steps.stop - steps.start;
    // Where rows of the tile stand side by side, the tile before has fetched all lines but the last.
    if (w->transposedA) fetch(work, at + rows - 1, w->lda, count, 1);
    else fetch(work, at, w->lda, rows, count);
  }
  const int later = t + 2 < s.count ? t + 2 : least(t + 2 - s.count, s.count - 1);
  const int column = t + 2 < s.count ? p->column : p->column + COLUMNS;
  if (t + 2 < s.count || p->next.rows > 0)
    fetch(work, w->c + (size_t)(w->block + firstRow(s, later)) * w->ldc + column, w->ldc, rowsOf(s, later), p->count);
  if (p->next.rows > 0) {
    const int rows = least(p->next.rows, (p->next.rows + s.count - t - 1) / (s.count - t));
    work->ahead[work->aheadCount++] = (Ahead){p->next.at, p->next.ld, rows, p->next.lines};
    p->next.at += rows * p->next.ld;
    p->next.rows -= rows;
  }
}

static void multiplyPanel(const BlockWork *w, PanelWork *p) {
  const Split s = w->split;
  const int vectors = (p->count + W - 1) / W, last = p->count - (vectors - 1) * W;
  int t = 0;
  if (w->shape == LOWER) while (t < s.count && w->block + firstRow(s, t + 1) <= p->column) t++;
  for (; t < s.count; t++) {
    const int row = firstRow(s, t), rows = rowsOf(s, t), below = w->block + row;
    float *to = w->c + (size_t)below * w->ldc + p->column;
    TileWork work = {.c = to, .ldc = w->ldc, .last = last, .fresh = w->fresh};
    const Steps steps = stepsOf(w, row, rows);
    work.k = steps.stop - steps.start;
    work.b = p->packed + (size_t)steps.start * COLUMNS;
    fetchAhead(w, p, t, &work);
    int wide = vectors;
    // Right of the diagonal nothing is needed.
    if (w->shape == LOWER && vectors == 2 && below + rows <= p->column + W) wide = 1, work.last = W;
    work.a = partOfA(w, row, steps.start);
    work.rowStride = work.stepStride = w->lda;
    if (!w->inPlace) {
      float *packed = w->packed + t * tileRoom(w->steps);
      if (p->isFirst) (w->transposedA ? packColumns : packRows)(packed, work.a, w->lda, rows, w->steps, w->available - row);
      work.a = packed;
      work.stepStride = SLOT;
    }
    (w->inPlace && !w->transposedA ? tilesByRows : tilesByColumns)[wide - 1][rows](&work);
  }
}

static void multiplyMatrices(int m, int n, int k, const float *a, size_t lda, int transposedA, const float *b, size_t ldb,
                             int transposedB, float *c, size_t ldc, float *scratch, int shape, int fresh) {
  float *packedPanel = scratch;
  const int triangular = shape == ENDS_AT_ROW || shape == STARTS_AT_ROW;
  for (int block = 0; block < m; block += ROW_BLOCK) {
    const int rows = least(m - block, ROW_BLOCK), end = shape == LOWER ? least(n, block + rows) : n;
    for (int first = 0; first < k; first += K_BLOCK) {
      const BlockWork work = {
        .split = splitRows(rows, triangular ? least(TILE_ROWS, MARGIN + 1) : TILE_ROWS),
        .block = block, .first = first, .steps = least(k - first, K_BLOCK),
        .shape = shape, .transposedA = transposedA, .inPlace = triangular || (!transposedA && n <= COLUMNS),
        .fresh = fresh && first == 0,
        .a = transposedA ? a + first * lda + block : a + block * lda + first,
        .lda = lda, .available = m - block, .packed = scratch + COLUMNS * K_BLOCK, .c = c, .ldc = ldc,
      };
      for (int column = 0; column < end; column += COLUMNS) {
        PanelWork panel = {.packed = packedPanel, .column = column, .count = least(COLUMNS, n - column), .isFirst = column == 0};
        packPanel(packedPanel, b, ldb, column, panel.count, first, work.steps, transposedB);
        const int next = column + COLUMNS, width = least(COLUMNS, n - next);
        if (next < end) {
          const float *at = transposedB ? b + next * ldb + first : b + first * ldb + next;
          panel.next = (Ahead){at, ldb, transposedB ? width : work.steps, linesOf(at, transposedB ? work.steps : width)};
        }
        multiplyPanel(&work, &panel);
      }
    }
  }
}
