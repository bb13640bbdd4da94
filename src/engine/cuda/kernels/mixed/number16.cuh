/**
 * The 16-bit format that the mixed mode computes with: bf16 where MIXED_BF16 is 1, fp16 where it is 0. A pair of values
 * is one 32-bit word, the element of the lower index in the lower half.
 */
#include "../portable.cuh"

typedef unsigned short number16;

#if MIXED_BF16
__device__ __forceinline__ float value_16(number16 x) { return bf16_to_f32(x); }
__device__ __forceinline__ unsigned pack_16(float lo, float hi) { return pack_bf16(lo, hi); }
__device__ __forceinline__ void unpack_16(unsigned pair, float& lo, float& hi) { unpack_bf16(pair, lo, hi); }
__device__ __forceinline__ void mma_16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  mma_bf16(d, a, b);
}
#else
__device__ __forceinline__ float value_16(number16 x) { return f16_to_f32(x); }
__device__ __forceinline__ unsigned pack_16(float lo, float hi) { return pack_f16(lo, hi); }
__device__ __forceinline__ void unpack_16(unsigned pair, float& lo, float& hi) { unpack_f16(pair, lo, hi); }
__device__ __forceinline__ void mma_16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  mma_f16(d, a, b);
}
#endif

/** Eight neighbouring values of a row: one 16-byte access. `p` is aligned to 16 bytes. */
__device__ __forceinline__ void load_8(const number16* p, float (&x)[8]) {
  const uint4 words = *reinterpret_cast<const uint4*>(p);
  unpack_16(words.x, x[0], x[1]);
  unpack_16(words.y, x[2], x[3]);
  unpack_16(words.z, x[4], x[5]);
  unpack_16(words.w, x[6], x[7]);
}
__device__ __forceinline__ void store_8(number16* p, const float (&x)[8]) {
  *reinterpret_cast<uint4*>(p) =
      make_uint4(pack_16(x[0], x[1]), pack_16(x[2], x[3]), pack_16(x[4], x[5]), pack_16(x[6], x[7]));
}

/** Eight neighbouring f32: two 16-byte accesses. */
__device__ __forceinline__ void load_8(const float* p, float (&x)[8]) {
  const float4 lo = reinterpret_cast<const float4*>(p)[0], hi = reinterpret_cast<const float4*>(p)[1];
  x[0] = lo.x, x[1] = lo.y, x[2] = lo.z, x[3] = lo.w;
  x[4] = hi.x, x[5] = hi.y, x[6] = hi.z, x[7] = hi.w;
}
__device__ __forceinline__ void store_8(float* p, const float (&x)[8]) {
  reinterpret_cast<float4*>(p)[0] = make_float4(x[0], x[1], x[2], x[3]);
  reinterpret_cast<float4*>(p)[1] = make_float4(x[4], x[5], x[6], x[7]);
}
