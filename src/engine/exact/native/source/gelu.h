// Exact (erf) GELU, g(x) = x · Φ(x), and its derivative Φ(x) + x · φ(x).
#pragma once
#include "api.h"
#include "elementary.h"

INLINE vec geluOf(vec x, vec *derivative) {
  const vec u = absolute(x), e = expOfNegative((u * u) * splat(-0.5f)), tail = e * normalTail(u);
  const vec distribution = choose(less(x, splat(0)), tail, splat(1) - tail);
  *derivative = fma(x, e * CONSTANT(0x3ecc422a), distribution); // 1 / √(2π)
  return x * distribution;
}

EXPORT(void, gelu)(Memory memory, Address xs, Address derivatives, int32_t n) {
  float *x = FLOATS(xs), *derivative = FLOATS(derivatives);
  EACH_VECTOR(n, {
    vec slope;
    const vec y = geluOf(GET(x + i), &slope);
    PUT(derivative + i, slope);
    PUT(x + i, y);
  });
}

EXPORT(void, geluForward)(Memory memory, Address xs, int32_t n) {
  float *x = FLOATS(xs);
  EACH_VECTOR(n, {
    vec unused;
    PUT(x + i, geluOf(GET(x + i), &unused));
  });
}
