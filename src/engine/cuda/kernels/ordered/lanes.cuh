// Sums along a row by one warp: the 32 lanes of docs/arithmetic.md §2 are the warp's own. Lane l joins elements l, l + 32,
// l + 64, … in ascending order; then lanes 16, 8, 4, 2 and 1 apart are added. Addition commutes, so that every lane of
// the butterfly ends with the bits of lane 0.
#include "../portable.cuh"

/** The lane of this thread in its warp. */
__device__ __forceinline__ unsigned lane_index() {
  return threadIdx.x & 31;
}

/** Number of the warp in the grid: one warp a row in all kernels that reduce rows. Blocks are one-dimensional. */
__device__ __forceinline__ unsigned warp_index() {
  return blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
}

/** Σ over the lanes' partial sums, in every lane. */
__device__ __forceinline__ float combine_lanes(float partial) {
  for (int distance = 16; distance > 0; distance >>= 1) partial = partial + shuffle_xor(partial, distance);
  return partial;
}

/** Largest of the lanes' values, in every lane; the order of a maximum changes nothing. */
__device__ __forceinline__ float largest_of_lanes(float value) {
  for (int distance = 16; distance > 0; distance >>= 1) {
    const float other = shuffle_xor(value, distance);
    value = other > value ? other : value;
  }
  return value;
}

/** Σ x[i] over n elements, in every lane. */
__device__ __forceinline__ float row_sum(const float* x, unsigned n) {
  float partial = 0.0f;
  for (unsigned i = lane_index(); i < n; i += 32) partial = partial + x[i];
  return combine_lanes(partial);
}

/** Σ x[i] · y[i] over n elements, each product joined by fma, in every lane. */
__device__ __forceinline__ float row_dot(const float* x, const float* y, unsigned n) {
  float partial = 0.0f;
  for (unsigned i = lane_index(); i < n; i += 32) partial = fma_rn(x[i], y[i], partial);
  return combine_lanes(partial);
}
