// 8 floats: x86-64 with AVX2 and FMA. 16 registers: tiles of 6 × 16 sums, two vectors of B, one of A.
#pragma once
#include <immintrin.h>

#define TILE_ROWS_MOST 6
enum { W = 8, TILE_ROWS = TILE_ROWS_MOST };
typedef __m256 vec;
typedef __m256 mask;

INLINE vec load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm256_storeu_ps(p, x); }
INLINE __m256i firstLanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/** The first n lanes; the others are zeros, and their memory is not touched. */
INLINE vec loadPart(const float *p, int n) { return _mm256_maskload_ps(p, firstLanes(n)); }
INLINE void storePart(float *p, vec x, int n) { _mm256_maskstore_ps(p, firstLanes(n), x); }
/** The first n lanes of x, the others of y. */
INLINE vec keep(vec x, int n, vec y) { return _mm256_blendv_ps(y, x, _mm256_castsi256_ps(firstLanes(n))); }
INLINE vec splat(float x) { return _mm256_set1_ps(x); }
INLINE vec fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec larger(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE vec squareRoot(vec a) { return _mm256_sqrt_ps(a); }
INLINE vec absolute(vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
/** To an integer, ties to even. */
INLINE vec nearest(vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE mask less(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
INLINE vec choose(mask m, vec yes, vec no) { return _mm256_blendv_ps(no, yes, m); }
/** p · 2ⁿ by adding the integer n to the exponent. */
INLINE vec timesPowerOfTwo(vec p, vec n) {
  const __m256i shift = _mm256_slli_epi32(_mm256_cvttps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shift));
}
INLINE float scalarFma(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
INLINE float scalarRoot(float a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }

/** The 32 lanes to one sum: 16, 8, 4, 2 and 1 apart. */
INLINE float combineLanes(const vec s[4]) {
  const __m256 b = _mm256_add_ps(_mm256_add_ps(s[0], s[2]), _mm256_add_ps(s[1], s[3]));
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

INLINE float largestLane(vec a) {
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/** r, 8 rows of 8 floats, becomes its transpose. */
INLINE void transposeVectors(vec r[8]) {
  vec t[8];
  UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  vec q[8];
  UNROLL for (int i = 0; i < 8; i += 4) {
    q[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    q[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    q[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    q[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2f128_ps(q[i], q[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(q[i], q[i + 4], 0x31);
  }
}
