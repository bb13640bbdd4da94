// AdamW with decoupled weight decay, and the sum of squares for clipping.
#pragma once
#include "api.h"
#include "rows.h"

EXPORT(float, sumOfSquares)(Memory memory, Address g, int32_t n) { return dotRow(FLOATS(g), FLOATS(g), n); }

EXPORT(void, adamw)
(Memory memory, Address weights, Address firstMoments, Address secondMoments, Address gradients, int32_t n, float clip,
 float beta1, float oneMinusBeta1, float beta2, float oneMinusBeta2, float stepSize, float rootCorrection2,
 float epsilon, float decay) {
  float *w = FLOATS(weights), *m = FLOATS(firstMoments), *v = FLOATS(secondMoments);
  const float *g = FLOATS(gradients);
  EACH_VECTOR(n, {
    const vec gradient = GET(g + i) * splat(clip);
    const vec first = fma(splat(beta1), GET(m + i), splat(oneMinusBeta1) * gradient);
    const vec second = fma(splat(beta2), GET(v + i), (splat(oneMinusBeta2) * gradient) * gradient);
    const vec denominator = squareRoot(second) / splat(rootCorrection2) + splat(epsilon);
    PUT(m + i, first);
    PUT(v + i, second);
    PUT(w + i, fma(splat(-stepSize), first / denominator, GET(w + i) * splat(decay)));
  });
}
