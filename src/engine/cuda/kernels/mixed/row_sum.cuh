/**
 * Sums over a row that several warps hold, eight columns a lane. A block holds `blockDim.x / 32 / warps_per_row` rows;
 * each lane gets its row's sum. Order: lanes by a butterfly, then warps ascending; the same on every chip.
 */
#include "../portable.cuh"

/** Two sums of a row at once. `slots`: 2 * 32 floats of shared memory that no other sum used since the last barrier. */
__device__ __forceinline__ void row_sums(float& a, float& b, float* slots, unsigned warps_per_row) {
  for (int mask = 16; mask > 0; mask >>= 1) {
    a += shuffle_xor(a, mask);
    b += shuffle_xor(b, mask);
  }
  if (warps_per_row == 1) return;
  const unsigned warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 0) {
    slots[2 * warp] = a;
    slots[2 * warp + 1] = b;
  }
  __syncthreads();
  const unsigned first = warp / warps_per_row * warps_per_row;
  a = slots[2 * first];
  b = slots[2 * first + 1];
  for (unsigned i = first + 1; i < first + warps_per_row; i++) {
    a += slots[2 * i];
    b += slots[2 * i + 1];
  }
}
