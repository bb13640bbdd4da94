// exp, log and the normal distribution in f32 (docs/arithmetic.md §3). The coefficients are part of the definition.
#include "../portable.cuh"

/** The f32 with this bit pattern. */
__device__ __forceinline__ float from_bits(unsigned bits) {
  return __uint_as_float(bits);
}

/** e^x for x ≤ 0; +0 for x < −87; NaN for NaN. 9 fma. */
__device__ __forceinline__ float exp_of_negative(float x) {
  if (x < -87.0f) return 0.0f;
  const float n = rintf(x * from_bits(0x3fb8aa3b));
  float r = fma_rn(n, from_bits(0xbf317200), x);
  r = fma_rn(n, from_bits(0xb5bfbe8e), r);
  float p = from_bits(0x3ab55c97);
  p = fma_rn(p, r, from_bits(0x3c0936b2));
  p = fma_rn(p, r, from_bits(0x3d2aac4e));
  p = fma_rn(p, r, from_bits(0x3e2aaa05));
  p = fma_rn(p, r, from_bits(0x3efffffd));
  p = fma_rn(p, r, 1.0f);
  p = fma_rn(p, r, 1.0f);
  // p · 2ⁿ by its exponent: p is in [0.7, 1.5] and n from −126 to 0. A NaN passes through.
  if (!(x == x)) return x;
  return from_bits(__float_as_uint(p) + ((unsigned) (int) n << 23));
}

/** Φ(−u) over e^(−u²/2), for u ≥ 0. */
__device__ __forceinline__ float normal_tail(float u) {
  const float t = div_rn(1.0f, fma_rn(u, from_bits(0x3e99999a), 1.0f));
  float p = from_bits(0x3d1cec83);
  p = fma_rn(p, t, from_bits(0xbe2ce4a9));
  p = fma_rn(p, t, from_bits(0x3e697594));
  p = fma_rn(p, t, from_bits(0xbd9b1b8d));
  p = fma_rn(p, t, from_bits(0x3e11691b));
  p = fma_rn(p, t, from_bits(0x3dc260b7));
  p = fma_rn(p, t, from_bits(0x3df992c8));
  p = fma_rn(p, t, from_bits(0x3df4ba43));
  return fma_rn(p, t, from_bits(0x36e05851));
}

/** ln x for 1 ≤ x < ∞; NaN and infinity come back. */
__device__ __forceinline__ float log_of_at_least_one(float x) {
  if (!(x <= from_bits(0x7f7fffff))) return x;
  const unsigned bits = __float_as_uint(x);
  int exponent = (int) (bits >> 23) - 127;
  float m = from_bits((bits & 0x7fffff) | 0x3f800000);
  if (m > from_bits(0x3fb504f3)) {
    m = m * 0.5f;
    exponent = exponent + 1;
  }
  const float s = div_rn(m - 1.0f, m + 1.0f);
  const float z = s * s;
  float q = from_bits(0x3e6eed72);
  q = fma_rn(q, z, from_bits(0x3e922e01));
  q = fma_rn(q, z, from_bits(0x3eccccf6));
  q = fma_rn(q, z, from_bits(0x3f2aaaab));
  float y = fma_rn(z * s, q, s + s);
  y = fma_rn((float) exponent, from_bits(0x35bfbe8e), y);
  return fma_rn((float) exponent, from_bits(0x3f317200), y);
}
