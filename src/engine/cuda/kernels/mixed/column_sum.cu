/**
 * Second stage of column sums: partial sums (pieces, width) f32 of the first stage's chains -> target (width), and
 * `also` (width) unless null. Lane r of a column is the chain over pieces r, r + 32, ...; the 32 lanes are joined by
 * halving, 16 to 1 apart. With `accumulate`, the sum is added to what stands in the target.
 * Block: 32 columns x 32 lanes; a warp reads 32 neighbouring columns. Bytes: 4 * pieces * width.
 */
#include "../portable.cuh"

extern "C" __global__ void sum_columns(const float* partial, float* target, float* also, unsigned pieces,
                                       unsigned width, unsigned accumulate) {
  STATIC_SHARED(float, lanes, 32 * 32);
  const unsigned x = threadIdx.x % 32, lane = threadIdx.x / 32, column = blockIdx.x * 32 + x;
  float sum = 0.0f;
  if (column < width) {
#pragma unroll 4
    for (unsigned piece = lane; piece < pieces; piece += 32) sum += partial[static_cast<size_t>(piece) * width + column];
  }
  lanes[lane * 32 + x] = sum;
  for (unsigned half = 16; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half) lanes[lane * 32 + x] += lanes[(lane + half) * 32 + x];
  }
  if (lane > 0 || column >= width) return;
  sum = lanes[x];
  target[column] = accumulate != 0 ? target[column] + sum : sum;
  if (also != nullptr) also[column] = accumulate != 0 ? also[column] + sum : sum;
}
