// 4 floats: ARM64, whose NEON always has a fused multiply-add. 32 registers: tiles of 12 × 8 sums.
#pragma once
#include <arm_neon.h>

#define TILE_ROWS_MOST 12
enum { W = 4, TILE_ROWS = TILE_ROWS_MOST };
typedef float32x4_t vec;
typedef uint32x4_t mask;

INLINE vec load(const float *p) { return vld1q_f32(p); }
INLINE void store(float *p, vec x) { vst1q_f32(p, x); }
/** The first n lanes; the others are zeros, and their memory is not touched. */
INLINE vec loadPart(const float *p, int n) {
  float lanes[4] = {0, 0, 0, 0};
  for (int i = 0; i < n; i++) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
INLINE void storePart(float *p, vec x, int n) {
  float lanes[4];
  vst1q_f32(lanes, x);
  for (int i = 0; i < n; i++) p[i] = lanes[i];
}
/** The first n lanes of x, the others of y. */
INLINE vec keep(vec x, int n, vec y) {
  const int32_t lanes[4] = {0, 1, 2, 3};
  return vbslq_f32(vcltq_s32(vld1q_s32(lanes), vdupq_n_s32(n)), x, y);
}
INLINE vec splat(float x) { return vdupq_n_f32(x); }
INLINE vec fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
INLINE vec larger(vec a, vec b) { return vmaxq_f32(a, b); }
INLINE vec squareRoot(vec a) { return vsqrtq_f32(a); }
INLINE vec absolute(vec a) { return vabsq_f32(a); }
/** To an integer, ties to even. */
INLINE vec nearest(vec a) { return vrndnq_f32(a); }
INLINE mask less(vec a, vec b) { return vcltq_f32(a, b); }
INLINE vec choose(mask m, vec yes, vec no) { return vbslq_f32(m, yes, no); }
/** p · 2ⁿ by adding the integer n to the exponent. */
INLINE vec timesPowerOfTwo(vec p, vec n) {
  const int32x4_t shift = vshlq_n_s32(vcvtq_s32_f32(n), 23);
  return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), shift));
}
INLINE float scalarFma(float a, float b, float c) {
  return vgetq_lane_f32(vfmaq_f32(vdupq_n_f32(c), vdupq_n_f32(a), vdupq_n_f32(b)), 0);
}
INLINE float scalarRoot(float a) { return vget_lane_f32(vsqrt_f32(vdup_n_f32(a)), 0); }

/** The 32 lanes to one sum: 16, 8, 4, 2 and 1 apart. */
INLINE float combineLanes(const vec s[8]) {
  const vec c = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  return (vgetq_lane_f32(c, 0) + vgetq_lane_f32(c, 2)) + (vgetq_lane_f32(c, 1) + vgetq_lane_f32(c, 3));
}

INLINE float largestLane(vec a) { return vmaxvq_f32(a); }

/** r, 4 rows of 4 floats, becomes its transpose. */
INLINE void transposeVectors(vec r[4]) {
  const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
