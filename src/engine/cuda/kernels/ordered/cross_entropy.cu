// Cross-entropy of next-token logits, with its gradient in place (docs/arithmetic.md §4, §5). One warp a row.
#include "elementary.cuh"
#include "lanes.cuh"

/**
 * logits (rows, width), tokens (sequences, length + 1) → losses (rows): ln Σ₃₂ exp(z − max z) − (z[target] − max z).
 * With `weight` > 0 the logits become their gradient, (p − 1{target}) · weight; with 0 they are spent.
 * About 25 FLOPs, 20 bytes an element.
 */
extern "C" __global__ void cross_entropy(
  float* logits, const unsigned short* tokens, float* losses, unsigned rows, unsigned length, unsigned width,
  float weight
) {
  const unsigned row = warp_index();
  if (row >= rows) return;
  const unsigned target = tokens[row / length * (length + 1) + row % length + 1], lane = lane_index();
  float* z = logits + (size_t) row * width;
  float largest = from_bits(0xff800000);
  for (unsigned i = lane; i < width; i += 32) largest = z[i] > largest ? z[i] : largest;
  largest = largest_of_lanes(largest);
  const float margin = z[target] - largest;
  __syncwarp();
  float partial = 0.0f;
  for (unsigned i = lane; i < width; i += 32) {
    const float e = exp_of_negative(z[i] - largest);
    z[i] = e;
    partial = partial + e;
  }
  const float total = combine_lanes(partial);
  if (lane == 0) losses[row] = log_of_at_least_one(total) - margin;
  if (!(weight > 0.0f)) return;
  for (unsigned i = lane; i < width; i += 32) {
    const float p = div_rn(z[i], total);
    z[i] = (i == target ? p - 1.0f : p) * weight;
  }
}

/** Σ₃₂ over each sequence's tokens: losses (sequences, length) → sums (sequences). One warp a sequence. */
extern "C" __global__ void sequence_losses(const float* losses, float* sums, unsigned sequences, unsigned length) {
  const unsigned sequence = warp_index();
  if (sequence >= sequences) return;
  const float sum = row_sum(losses + (size_t) sequence * length, length);
  if (lane_index() == 0) sums[sequence] = sum;
}
