/** Kernels that a GPU would end, or that would never end on one. */
#include "portable.cuh"

extern "C" __global__ void barrier_in_branch(float* y) {
  if (threadIdx.x < 16) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}

extern "C" __global__ void different_barriers(float* y) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = 1;
}

extern "C" __global__ void shuffle_in_branch(float* y) {
  float value = y[threadIdx.x];
  if (threadIdx.x % 32 != 7) value = shuffle_xor(value, 1);
  y[threadIdx.x] = value;
}

extern "C" __global__ void different_warp_operations(unsigned* y) {
  if (threadIdx.x % 32 < 16) {
    __syncwarp();
  } else {
    y[threadIdx.x] = shuffle_xor(threadIdx.x, 1);
  }
}

extern "C" __global__ void trap_at(unsigned* y, unsigned block, unsigned thread) {
  if (blockIdx.x == block && threadIdx.x == thread) __trap();
  y[blockIdx.x * blockDim.x + threadIdx.x] = 1;
}

extern "C" __global__ void read_at(float* y, const float* x, unsigned long long index) { y[threadIdx.x] = x[index]; }

extern "C" __global__ void read_before(float* y, const float* x) { y[threadIdx.x] = x[-1]; }

extern "C" __global__ void write_at(float* y, int index) {
  if (blockIdx.x == 0 && threadIdx.x == 0) y[index] = 1;
}

extern "C" __global__ void write_shared_at(float* y, int index) {
  DYNAMIC_SHARED(float, values);
  values[index] = 1;
  y[threadIdx.x] = values[index];
}

extern "C" __global__ void read_float4_at(float* y, const float* x, unsigned index) {
  y[threadIdx.x] = reinterpret_cast<const float4*>(x + index)->w;
}

extern "C" __global__ void divide(int* y, int divisor) { y[threadIdx.x] = 100 / divisor; }

__device__ __noinline__ float deep(float x, unsigned depth) {
  volatile float frame[512];
  frame[depth % 512] = x;
  return depth == 0 ? x : deep(frame[depth % 512] + 1, depth - 1) + frame[(depth + 1) % 512];
}
extern "C" __global__ void overflow_stack(float* y, unsigned depth) { y[threadIdx.x] = deep(1, depth); }
