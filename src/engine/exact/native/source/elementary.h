// exp, log and the normal distribution in f32. The coefficients are those of docs/arithmetic.md §3.
#pragma once
#include "rows.h"

#define CONSTANT(word) splat(bits(word))

/** e^x for x ≤ 0; +0 for x < −87; NaN stays. */
INLINE vec expOfNegative(vec x) {
  const vec n = nearest(x * CONSTANT(0x3fb8aa3b)); // 1 / ln 2
  vec r = fma(n, CONSTANT(0xbf317200), x); // −ln 2, upper bits
  r = fma(n, CONSTANT(0xb5bfbe8e), r); // −ln 2, the rest
  vec p = CONSTANT(0x3ab55c97);
  p = fma(p, r, CONSTANT(0x3c0936b2));
  p = fma(p, r, CONSTANT(0x3d2aac4e));
  p = fma(p, r, CONSTANT(0x3e2aaa05));
  p = fma(p, r, CONSTANT(0x3efffffd));
  p = fma(p, r, splat(1));
  p = fma(p, r, splat(1));
  return choose(less(x, splat(-87)), splat(0), timesPowerOfTwo(p, n));
}

/** Upper tail of the normal distribution over its density, times √(2π)⁻¹, for u ≥ 0. */
INLINE vec normalTail(vec u) {
  const vec t = splat(1) / fma(u, CONSTANT(0x3e99999a), splat(1));
  vec p = CONSTANT(0x3d1cec83);
  p = fma(p, t, CONSTANT(0xbe2ce4a9));
  p = fma(p, t, CONSTANT(0x3e697594));
  p = fma(p, t, CONSTANT(0xbd9b1b8d));
  p = fma(p, t, CONSTANT(0x3e11691b));
  p = fma(p, t, CONSTANT(0x3dc260b7));
  p = fma(p, t, CONSTANT(0x3df992c8));
  p = fma(p, t, CONSTANT(0x3df4ba43));
  return fma(p, t, CONSTANT(0x36e05851));
}

/** Natural logarithm of x ≥ 1; infinity and NaN pass through. */
INLINE float logOfAtLeastOne(float x) {
  if (!(x < bits(0x7f7fffff))) return x;
  const uint32_t word = wordOf(x);
  int n = (int)(word >> 23) - 127;
  float m = bits((word & 0x7fffff) | 0x3f800000);
  if (m > bits(0x3fb504f3)) { // √2
    m *= 0.5f;
    n += 1;
  }
  const float s = (m - 1) / (m + 1), square = s * s;
  float q = bits(0x3e6eed72);
  q = scalarFma(q, square, bits(0x3e922e01));
  q = scalarFma(q, square, bits(0x3eccccf6));
  q = scalarFma(q, square, bits(0x3f2aaaab));
  float result = scalarFma(square * s, q, s + s);
  result = scalarFma((float)n, bits(0x35bfbe8e), result);
  return scalarFma((float)n, bits(0x3f317200), result);
}

/** Replaces a row by exp(z · factor − top), top the largest z · factor; returns Σ by 32 lanes. */
INLINE float exponentiateRow(float *z, int n, vec factor, float top) {
  START_LANES(s);
  const vec shift = splat(top);
  EACH_PART(n, {
    const vec e = expOfNegative(GET(z + i) * factor - shift);
    PUT(z + i, e);
    s[part] = s[part] + (WHOLE ? e : keep(e, count, splat(0)));
  });
  return combineLanes(s);
}
