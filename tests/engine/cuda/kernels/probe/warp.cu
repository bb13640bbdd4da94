/** Every function of portable.cuh by which the lanes of a warp exchange values. One warp; results a row of 32 each. */
#include "portable.cuh"

extern "C" __global__ void exchange(unsigned* out, const unsigned* in) {
  const unsigned lane = threadIdx.x, value = in[lane];
  out[0 * 32 + lane] = shuffle(value, 5);
  out[1 * 32 + lane] = shuffle_xor(value, 3);
  out[2 * 32 + lane] = shuffle_down(value, 4);
  out[3 * 32 + lane] = shuffle_up(value, 4);
  out[4 * 32 + lane] = warp_ballot(value % 3 == 0);
  out[5 * 32 + lane] = warp_any(value == 7);
  out[6 * 32 + lane] = warp_all(value < 100);
  out[7 * 32 + lane] = __float_as_uint(shuffle_xor(static_cast<float>(value), 1));
  out[8 * 32 + lane] = static_cast<unsigned>(shuffle_xor(-static_cast<int>(value), 16));
  out[9 * 32 + lane] = __syncthreads_count(value % 2 == 0);
  out[10 * 32 + lane] = __syncthreads_or(value == 3);
  out[11 * 32 + lane] = __syncthreads_and(value == 3);
}
