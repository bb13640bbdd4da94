// The gradient's norm and the AdamW update (docs/arithmetic.md §6).
#include "lanes.cuh"

/**
 * Σ₃₂ g² of every chunk: gradient (parameters), chunks as pairs (offset, size) (count) → sums (count). One warp a chunk.
 * 2 FLOPs, 4 bytes an element.
 */
extern "C" __global__ void chunk_sums_of_squares(
  const float* gradient, const unsigned* chunks, float* sums, unsigned count
) {
  const unsigned chunk = warp_index();
  if (chunk >= count) return;
  const float* g = gradient + chunks[2 * chunk];
  const float sum = row_dot(g, g, chunks[2 * chunk + 1]);
  if (lane_index() == 0) sums[chunk] = sum;
}

/** The pairwise tree over values (count), in place; the root ends in values[0]. One block of any size. */
extern "C" __global__ void tree_sum(float* values, unsigned count) {
  for (unsigned length = count; length > 1; length = (length + 1) / 2) {
    // A level is written below where it is read from; within a group of threads all read before any writes.
    for (unsigned first = 0; first < (length + 1) / 2; first += blockDim.x) {
      const unsigned i = first + threadIdx.x;
      float sum = 0.0f;
      if (2 * i + 1 < length) sum = values[2 * i] + values[2 * i + 1];
      else if (2 * i < length) sum = values[2 * i];
      __syncthreads();
      if (2 * i < length) values[i] = sum;
      __syncthreads();
    }
  }
}

/**
 * AdamW with decoupled decay over the flat parameter vector; every tensor's elements take `decay` or 1 by the bit of
 * their chunk of 4096 (`decayed`, one byte a chunk, chunks as in `chunk_sums_of_squares`). All scalars are rounded to
 * f32 by the host. g = g · clip; m = fma(β₁, m, (1 − β₁) · g); v = fma(β₂, v, ((1 − β₂) · g) · g);
 * w = fma(−η, m / (√v / ρ + ε), w · decay). One block a chunk. 14 FLOPs, 28 bytes an element.
 */
extern "C" __global__ void adamw(
  float* weights, float* first_moments, float* second_moments, const float* gradient, const unsigned* chunks,
  const unsigned char* decayed, float clip, float beta1, float one_minus_beta1, float beta2, float one_minus_beta2,
  float step_size, float root_correction2, float epsilon, float decay
) {
  const unsigned offset = chunks[2 * blockIdx.x], size = chunks[2 * blockIdx.x + 1];
  const float shrink = decayed[blockIdx.x] != 0 ? decay : 1.0f;
  for (unsigned i = offset + threadIdx.x; i < offset + size; i += blockDim.x) {
    const float g = gradient[i] * clip;
    const float m = fma_rn(beta1, first_moments[i], one_minus_beta1 * g);
    const float v = fma_rn(beta2, second_moments[i], one_minus_beta2 * g * g);
    first_moments[i] = m;
    second_moments[i] = v;
    const float quotient = div_rn(m, div_rn(sqrt_rn(v), root_correction2) + epsilon);
    weights[i] = fma_rn(-step_size, quotient, weights[i] * shrink);
  }
}
