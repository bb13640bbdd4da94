/** Conversions between f32 and the 16-bit formats; n is a multiple of 2. */
#include "portable.cuh"

extern "C" __global__ void to_f16(unsigned short* out, const float* in, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = f32_to_f16(in[i]);
}
extern "C" __global__ void to_bf16(unsigned short* out, const float* in, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = f32_to_bf16(in[i]);
}
extern "C" __global__ void from_f16(float* out, const unsigned short* in, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = f16_to_f32(in[i]);
}
extern "C" __global__ void from_bf16(float* out, const unsigned short* in, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = bf16_to_f32(in[i]);
}
/** There and back by pairs. */
extern "C" __global__ void pairs(float* f16, float* bf16, const float* in, unsigned n) {
  const unsigned i = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  unpack_f16(pack_f16(in[i], in[i + 1]), f16[i], f16[i + 1]);
  unpack_bf16(pack_bf16(in[i], in[i + 1]), bf16[i], bf16[i + 1]);
}
