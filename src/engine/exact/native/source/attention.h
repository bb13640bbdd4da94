// Rotary position embedding and the causal softmax, forward and backward.
#pragma once
#include "api.h"
#include "elementary.h"
#include "matmul.h"

EXPORT(void, rotate)
(Memory memory, Address qkv, Address cosinesAt, Address sinesAt, int32_t rows, int32_t heads, int32_t headSize,
 int32_t half, float sign) {
  float *x = FLOATS(qkv);
  const float *cosines = FLOATS(cosinesAt), *sines = FLOATS(sinesAt);
  for (int row = 0; row < rows; row++, cosines += half, sines += half)
    for (int head = 0; head < heads; head++, x += headSize) // values are not rotated
      for (int part = 0; part < 2; part++, x += headSize) {
        // A part of a vector is slow to store and load again; most heads rotate a few pairs.
        if (4 * half < W) {
          for (int i = 0; i < half; i++) {
            const float a = x[i], b = x[i + half], sine = sines[i] * sign;
            x[i] = scalarFma(a, cosines[i], -(b * sine));
            x[i + half] = scalarFma(b, cosines[i], a * sine);
          }
          continue;
        }
        EACH_VECTOR(half, {
          const vec a = GET(x + i), b = GET(x + i + half), cosine = GET(cosines + i);
          const vec sine = GET(sines + i) * splat(sign);
          PUT(x + i, fma(a, cosine, -(b * sine)));
          PUT(x + i + half, fma(b, cosine, a * sine));
        });
      }
}

EXPORT(void, causalSoftmax)(Memory memory, Address scores, int32_t rows, int32_t columns, float scale) {
  float *z = FLOATS(scores);
  const vec factor = splat(scale), lowest = splat(-__builtin_inff());
  for (int row = 0; row < rows; row++, z += columns) {
    const int n = row + 1, end = least(columns, n + MARGIN);
    vec top = lowest;
    EACH_VECTOR(n, {
      const vec scaled = GET(z + i) * factor;
      top = larger(top, WHOLE ? scaled : keep(scaled, count, lowest));
    });
    const vec total = splat(exponentiateRow(z, n, factor, largestLane(top)));
    EACH_VECTOR(n, PUT(z + i, GET(z + i) / total););
    for (int j = n; j < end; j++) z[j] = 0;
  }
}

EXPORT(void, causalSoftmaxBackward)
(Memory memory, Address probabilities, Address gradients, Address outputs, Address outputGradients, int32_t rowBytes,
 int32_t rows, int32_t columns, int32_t headSize, float scale) {
  const float *p = FLOATS(probabilities), *output = FLOATS(outputs), *outputGradient = FLOATS(outputGradients);
  float *g = FLOATS(gradients);
  const vec factor = splat(scale);
  const size_t stride = (size_t)rowBytes / 4;
  for (int row = 0; row < rows; row++, p += columns, g += columns, output += stride, outputGradient += stride) {
    const int n = row + 1, end = least(columns, n + MARGIN);
    const vec mean = splat(dotRow(outputGradient, output, headSize));
    EACH_VECTOR(n, PUT(g + i, (GET(p + i) * (GET(g + i) - mean)) * factor););
    for (int j = n; j < end; j++) g[j] = 0;
  }
}
