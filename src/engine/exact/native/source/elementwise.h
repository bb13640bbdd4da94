// Embedding rows, biases, residual sums, column sums and other passes over memory.
#pragma once
#include "api.h"
#include "rows.h"

EXPORT(void, gatherRows)(Memory memory, Address table, Address tokensAt, Address xs, int32_t rows, int32_t width) {
  const uint16_t *tokens = TOKENS(tokensAt);
  float *x = FLOATS(xs);
  for (int row = 0; row < rows; row++, x += width) {
    const float *from = FLOATS(table) + (size_t)tokens[row] * width;
    EACH_VECTOR(width, PUT(x + i, GET(from + i)););
  }
}

EXPORT(void, scatterAddRows)(Memory memory, Address table, Address tokensAt, Address dxs, int32_t rows, int32_t width) {
  const uint16_t *tokens = TOKENS(tokensAt);
  const float *dx = FLOATS(dxs);
  for (int row = 0; row < rows; row++, dx += width) addRow(FLOATS(table) + (size_t)tokens[row] * width, dx, width);
}

EXPORT(void, add)(Memory memory, Address ys, Address xs, int32_t n) { addRow(FLOATS(ys), FLOATS(xs), n); }

EXPORT(void, multiply)(Memory memory, Address ys, Address xs, int32_t n) {
  float *y = FLOATS(ys);
  const float *x = FLOATS(xs);
  EACH_VECTOR(n, PUT(y + i, GET(y + i) * GET(x + i)););
}

EXPORT(void, addBias)(Memory memory, Address ys, Address bias, int32_t rows, int32_t width) {
  float *y = FLOATS(ys);
  for (int row = 0; row < rows; row++, y += width) addRow(y, FLOATS(bias), width);
}

enum { COLUMN_PIECE = 64 }; // tokens in a piece of a column sum

/** Column sums of one piece of rows, `vectors` side by side, joined to `sums`. */
INLINE void addPiece(const float *dy, const float *x, float *sums, int rows, int width, const int vectors,
                     const int products, int count) {
  vec s[4];
  UNROLL for (int v = 0; v < vectors; v++) s[v] = splat(0);
  for (int row = 0; row < rows; row++) UNROLL for (int v = 0; v < vectors; v++) {
    const size_t at = (size_t)row * width + v * W;
    vec term = count == W ? load(dy + at) : loadPart(dy + at, count);
    if (products) term = term * (count == W ? load(x + at) : loadPart(x + at, count));
    s[v] = s[v] + term;
  }
  UNROLL for (int v = 0; v < vectors; v++) {
    if (count == W) store(sums + v * W, load(sums + v * W) + s[v]);
    else storePart(sums + v * W, loadPart(sums + v * W, count) + s[v], count);
  }
}

INLINE void addColumns(const float *dy, const float *x, float *sums, int rows, int width, const int products) {
  for (int first = 0; first < rows; first += COLUMN_PIECE) {
    const int piece = least(COLUMN_PIECE, rows - first);
    const size_t at = (size_t)first * width;
    int j = 0;
    for (; j + 4 * W <= width; j += 4 * W) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 4, products, W);
    for (; j + W <= width; j += W) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 1, products, W);
    if (j < width) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 1, products, width - j);
  }
}

EXPORT(void, addColumnSums)(Memory memory, Address dy, Address sums, int32_t rows, int32_t width) {
  addColumns(FLOATS(dy), FLOATS(dy), FLOATS(sums), rows, width, 0);
}

EXPORT(void, addColumnSumsOfProducts)
(Memory memory, Address dy, Address x, Address sums, int32_t rows, int32_t width) {
  addColumns(FLOATS(dy), FLOATS(x), FLOATS(sums), rows, width, 1);
}

EXPORT(void, fill)(Memory memory, Address ys, int32_t n, float value) {
  float *y = FLOATS(ys);
  const vec x = splat(value);
  EACH_VECTOR(n, PUT(y + i, x););
}
