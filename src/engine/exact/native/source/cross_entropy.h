// Cross-entropy of next-token logits, with its gradient in place.
#pragma once
#include "api.h"
#include "elementary.h"

EXPORT(float, crossEntropy)
(Memory memory, Address logits, Address targetsAt, Address lossesAt, int32_t rows, int32_t width, float weight) {
  float *z = FLOATS(logits), *losses = FLOATS(lossesAt);
  const uint16_t *targets = TOKENS(targetsAt);
  for (int row = 0; row < rows; row++, z += width) {
    float *target = z + targets[row];
    const float top = largestOf(z, width), margin = *target - top;
    const float total = exponentiateRow(z, width, splat(1), top);
    losses[row] = logOfAtLeastOne(total) - margin;
    if (!(weight > 0)) continue;
    const vec divisor = splat(total), factor = splat(weight);
    const float hit = (*target / total - 1.0f) * weight;
    EACH_VECTOR(width, PUT(z + i, (GET(z + i) / divisor) * factor););
    *target = hit;
  }
  return sumRow(losses, rows);
}
