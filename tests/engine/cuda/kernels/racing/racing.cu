/** Kernels whose results depend on the order of blocks or threads: each is broken in one place. */
#include "portable.cuh"

/** `row_sum` without the barrier between the lanes' sums and the thread that adds them. */
extern "C" __global__ void missing_barrier(float* y, const float* x, unsigned columns) {
  DYNAMIC_SHARED(float, partial);
  float sum = 0;
  for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) sum = add_rn(sum, x[i]);
  partial[threadIdx.x] = sum;
  if (threadIdx.x == blockDim.x - 1) {
    float total = 0;
    for (unsigned i = 0; i < blockDim.x; i++) total = add_rn(total, partial[i]);
    y[0] = total;
  }
}

/** y[0] is the sum of x in the order in which the blocks come. */
extern "C" __global__ void sum_across_blocks(float* y, const float* x) { y[0] = add_rn(y[0], x[blockIdx.x]); }

/** A buffer is filled anew while other threads may still read it. */
extern "C" __global__ void missing_second_barrier(float* y, const float* x, unsigned tiles) {
  DYNAMIC_SHARED(float, tile_values);
  const unsigned t = threadIdx.x;
  float sum = 0;
  for (unsigned tile = 0; tile < tiles; tile++) {
    tile_values[t] = x[tile * blockDim.x + t];
    __syncthreads();
    sum = add_rn(sum, tile_values[(t + 1) % blockDim.x]);
  }
  y[t] = sum;
}

/** Lanes read what other lanes of their warp wrote, without __syncwarp. */
extern "C" __global__ void missing_warp_barrier(float* y, const float* x) {
  DYNAMIC_SHARED(float, values);
  values[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = values[threadIdx.x ^ 1];
}

/** Reads an asynchronous copy before it was waited for. */
extern "C" __global__ void missing_copy_wait(float* y, const float* x) {
  DYNAMIC_SHARED(float, values);
  copy_async_4(values + threadIdx.x, x + threadIdx.x);
  copy_async_commit();
  __syncthreads();
  y[threadIdx.x] = values[threadIdx.x];
}
