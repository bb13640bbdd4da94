// The pair of LayerNorms that a parallel residual block applies to one input, forward and backward.
#pragma once
#include "api.h"
#include "rows.h"

EXPORT(void, normalize)
(Memory memory, Address xs, Address ys, Address rstdsAt, int32_t rows, int32_t width, float epsilon) {
  const float *x = FLOATS(xs);
  float *y = FLOATS(ys), *rstds = FLOATS(rstdsAt);
  for (int row = 0; row < rows; row++, x += width, y += width) {
    const float mean = sumRow(x, width) / (float)width;
    const float variance = sumOfSquaredDeviations(x, mean, width) / (float)width;
    rstds[row] = 1.0f / scalarRoot(variance + epsilon);
    const vec center = splat(mean), rstd = splat(rstds[row]);
    EACH_VECTOR(width, PUT(y + i, (GET(x + i) - center) * rstd););
  }
}

EXPORT(void, scaleAndShift)
(Memory memory, Address xs, Address gammas, Address betas, Address ys, int32_t rows, int32_t width) {
  const float *x = FLOATS(xs), *gamma = FLOATS(gammas), *beta = FLOATS(betas);
  float *y = FLOATS(ys);
  for (int row = 0; row < rows; row++, x += width, y += width)
    EACH_VECTOR(width, PUT(y + i, fma(GET(x + i), GET(gamma + i), GET(beta + i))););
}

EXPORT(void, scaleGradient)
(Memory memory, Address dys, Address gammas, Address ds, int32_t rows, int32_t width, int32_t join) {
  const float *dy = FLOATS(dys), *gamma = FLOATS(gammas);
  float *d = FLOATS(ds);
  for (int row = 0; row < rows; row++, dy += width, d += width) {
    if (join) EACH_VECTOR(width, PUT(d + i, fma(GET(dy + i), GET(gamma + i), GET(d + i))););
    else EACH_VECTOR(width, PUT(d + i, GET(dy + i) * GET(gamma + i)););
  }
}

EXPORT(void, normalizeBackward)
(Memory memory, Address ds, Address xs, Address rstdsAt, Address dxs, int32_t rows, int32_t width) {
  const float *d = FLOATS(ds), *x = FLOATS(xs), *rstds = FLOATS(rstdsAt);
  float *dx = FLOATS(dxs);
  for (int row = 0; row < rows; row++, d += width, x += width, dx += width) {
    const vec mean = splat(sumRow(d, width) / (float)width);
    const vec projection = splat(dotRow(d, x, width) / (float)width);
    const vec rstd = splat(rstds[row]);
    EACH_VECTOR(width, {
      const vec inner = fma(-GET(x + i), projection, GET(d + i) - mean);
      PUT(dx + i, fma(rstd, inner, GET(dx + i)));
    });
  }
}
