// 16 floats: x86-64 with AVX-512 F, VL, DQ and BW. 32 registers: tiles of 14 × 32 sums, two vectors of B, one of A.
#pragma once
#include <immintrin.h>

#define TILE_ROWS_MOST 14
enum { W = 16, TILE_ROWS = TILE_ROWS_MOST };
typedef __m512 vec;
typedef __mmask16 mask;

INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE mask firstLanes(int n) { return (mask)((1u << n) - 1); }
/** The first n lanes; the others are zeros, and their memory is not touched. */
INLINE vec loadPart(const float *p, int n) { return _mm512_maskz_loadu_ps(firstLanes(n), p); }
INLINE void storePart(float *p, vec x, int n) { _mm512_mask_storeu_ps(p, firstLanes(n), x); }
/** The first n lanes of x, the others of y. */
INLINE vec keep(vec x, int n, vec y) { return _mm512_mask_blend_ps(firstLanes(n), y, x); }
INLINE vec splat(float x) { return _mm512_set1_ps(x); }
INLINE vec fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec larger(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec squareRoot(vec a) { return _mm512_sqrt_ps(a); }
INLINE vec absolute(vec a) { return _mm512_abs_ps(a); }
/** To an integer, ties to even. */
INLINE vec nearest(vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE mask less(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE vec choose(mask m, vec yes, vec no) { return _mm512_mask_blend_ps(m, no, yes); }
/** p · 2ⁿ by adding the integer n to the exponent. */
INLINE vec timesPowerOfTwo(vec p, vec n) {
  const __m512i shift = _mm512_slli_epi32(_mm512_cvttps_epi32(n), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), shift));
}
INLINE float scalarFma(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
INLINE float scalarRoot(float a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }

/** The 32 lanes to one sum: 16, 8, 4, 2 and 1 apart. */
INLINE float combineLanes(const vec s[2]) {
  const __m512 a = _mm512_add_ps(s[0], s[1]);
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

INLINE float largestLane(vec a) {
  const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/** r, 16 rows of 16 floats, becomes its transpose. */
INLINE void transposeVectors(vec r[16]) {
  __m512d t[16];
  UNROLL for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
    t[i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
  }
  UNROLL for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i], t[i + 2]));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i], t[i + 2]));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i + 1], t[i + 3]));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i + 1], t[i + 3]));
  }
  vec q[16];
  UNROLL for (int i = 0; i < 4; i++) {
    q[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    q[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    q[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    q[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(q[i], q[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(q[i], q[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(q[i + 4], q[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(q[i + 4], q[i + 12], 0xdd);
  }
}
