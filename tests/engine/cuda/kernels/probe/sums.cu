/** Sums as the project's kernels make them: lanes, a tree of shuffles, one thread to finish. */
#include "portable.cuh"

/** y[row] = sum of x[row, 0..columns): one block a row, a chain for each thread, then a tree over its lanes. */
extern "C" __global__ void __launch_bounds__(256) row_sum(float* __restrict__ y, const float* __restrict__ x,
                                                          unsigned columns) {
  DYNAMIC_SHARED(float, partial);
  float sum = 0;
  for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) sum = add_rn(sum, x[blockIdx.x * columns + i]);
  for (int mask = 16; mask > 0; mask /= 2) sum = add_rn(sum, shuffle_xor(sum, mask));
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0;
    for (unsigned i = 0; i < blockDim.x / 32; i++) total = add_rn(total, partial[i]);
    y[blockIdx.x] = total;
  }
}

/** y += a x, one thread an element. */
extern "C" __global__ void axpy(float* y, const float* x, float a, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = fma_rn(a, x[i], y[i]);
}

/** y reversed within each block, by static shared memory. */
extern "C" __global__ void reverse(unsigned* y) {
  STATIC_SHARED(unsigned, values, 256);
  const unsigned first = blockIdx.x * blockDim.x;
  values[threadIdx.x] = y[first + threadIdx.x];
  __syncthreads();
  y[first + threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}

/** Where each thread stands: (x, y, z) of block and thread, of a grid and block of three dimensions. */
extern "C" __global__ void positions(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  unsigned* const own = out + (block * blockDim.x + threadIdx.x) * 4;
  own[0] = blockIdx.x;
  own[1] = blockIdx.y;
  own[2] = blockIdx.z;
  own[3] = threadIdx.x;
}
