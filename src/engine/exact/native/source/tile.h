// A register tile of a matrix product: up to TILE_ROWS rows of two vectors of sums, which walk along k.
// Each sum is one chain of fma over ascending k; tiles and blocks split only the work.
#pragma once
#include "vector.h"

enum { COLUMNS = 2 * W }; // of a packed panel of B

/** Memory that is needed soon: rows `ld` floats apart, of `lines` cache lines each. */
typedef struct {
  const float *at;
  size_t ld;
  int rows, lines;
} Ahead;

enum { LINE = 16, AHEAD = 3 }; // floats of a cache line; rectangles that a tile fetches ahead

/** What a tile is computed from: strides in floats. */
typedef struct {
  int k;
  const float *a; // element (r, i) at a[r · rowStride + i · stepStride]
  size_t rowStride, stepStride;
  const float *b; // packed panel (k, COLUMNS)
  float *c;
  size_t ldc;
  int last; // columns of the last vector
  int fresh; // chains start from +0 rather than from what stands in C
  int aheadCount;
  Ahead ahead[AHEAD];
} TileWork;

/** One step of k for every sum of the tile. */
#define STEP()                                                                            \
  do {                                                                                    \
    vec y[2];                                                                             \
    UNROLL for (int v = 0; v < vectors; v++) y[v] = load(b + v * W);                      \
    UNROLL for (int r = 0; r < rows; r++) {                                               \
      const vec x = splat(a[r * rowStride]);                                              \
      UNROLL for (int v = 0; v < vectors; v++) s[r][v] = fma(x, y[v], s[r][v]);           \
    }                                                                                     \
    a += stepStride;                                                                      \
    b += COLUMNS;                                                                         \
  } while (0)

INLINE void tile(const int rows, const int vectors, const size_t rowStride, const size_t stepStride, const TileWork *work) {
  const float *a = work->a, *b = work->b;
  const size_t ldc = work->ldc;
  const int last = work->last;
  vec s[TILE_ROWS][2];
  if (work->fresh) {
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) s[r][v] = splat(0);
  } else {
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) {
      const float *from = work->c + r * ldc + v * W;
      s[r][v] = v < vectors - 1 || last == W ? load(from) : loadPart(from, last);
    }
  }
  // A line a step: the few requests that a core can have under way are left to what the tile itself reads.
  int steps = work->k;
  for (int j = 0; j < work->aheadCount; j++) {
    const int lines = work->ahead[j].lines, fetched = least(steps, work->ahead[j].rows * lines);
    const size_t toNextRow = work->ahead[j].ld - (size_t)lines * LINE;
    const float *line = work->ahead[j].at;
    steps -= fetched;
    for (int i = fetched, inRow = lines; i > 0; i--) {
      __builtin_prefetch(line, 0, 1);
      line += LINE;
      if (--inRow == 0) line += toNextRow, inRow = lines;
      STEP();
    }
  }
  for (; steps > 0; steps--) STEP();
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) {
    float *to = work->c + r * ldc + v * W;
    if (v < vectors - 1 || last == W) store(to, s[r][v]);
    else storePart(to, s[r][v], last);
  }
}

// One function for each height, width and lie of A: by columns of A (rows side by side) or by its rows.
typedef void Tile(const TileWork *work);
#define TILES(R)                                                                                       \
  static void tileByColumns1_##R(const TileWork *work) { tile(R, 1, 1, work->stepStride, work); }       \
  static void tileByColumns2_##R(const TileWork *work) { tile(R, 2, 1, work->stepStride, work); }       \
  static void tileByRows1_##R(const TileWork *work) { tile(R, 1, work->rowStride, 1, work); }           \
  static void tileByRows2_##R(const TileWork *work) { tile(R, 2, work->rowStride, 1, work); }
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#if TILE_ROWS_MOST >= 12
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)
#endif
#if TILE_ROWS_MOST >= 14
TILES(13) TILES(14)
#endif

#if TILE_ROWS_MOST == 6
#define MORE_TILES(name)
#elif TILE_ROWS_MOST == 12
#define MORE_TILES(name) name##7, name##8, name##9, name##10, name##11, name##12
#else
#define MORE_TILES(name) name##7, name##8, name##9, name##10, name##11, name##12, name##13, name##14
#endif
#define ALL_TILES(name) {0, name##1, name##2, name##3, name##4, name##5, name##6, MORE_TILES(name)}
static Tile *const tilesByColumns[2][TILE_ROWS + 1] = {ALL_TILES(tileByColumns1_), ALL_TILES(tileByColumns2_)};
static Tile *const tilesByRows[2][TILE_ROWS + 1] = {ALL_TILES(tileByRows1_), ALL_TILES(tileByRows2_)};
