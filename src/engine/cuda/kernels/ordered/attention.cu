// Rotary position embedding and the causal softmax, forward and backward (docs/arithmetic.md §4, §5). Queries, keys and
// values stand as GPT-NeoX fuses them: (rows, heads, 3, d), rows of whole sequences one after the other.
#include "elementary.cuh"
#include "lanes.cuh"

/**
 * Rotates the first 2 · half dimensions of every query and key in place: pairs (a, b) = (x[i], x[i + half]) become
 * fma(a, cos, −(b · sin)), fma(b, cos, a · sin). `sign` −1 rotates back, which is the gradient. Tables (length, half).
 * One thread a pair, `pairs` = rows · heads · 2 · half; 6 FLOPs, 16 bytes a pair.
 */
extern "C" __global__ void rotate(
  float* qkv, const float* cosines, const float* sines, unsigned pairs, unsigned length, unsigned heads,
  unsigned head_size, unsigned half, float sign
) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= pairs) return;
  const unsigned i = index % half, part = index / half % 2, head = index / (2 * half) % heads;
  const unsigned row = index / (2 * half * heads);
  float* x = qkv + (((size_t) row * heads + head) * 3 + part) * head_size + i;
  const unsigned entry = row % length * half + i;
  const float a = x[0], b = x[half], cosine = cosines[entry], sine = sines[entry] * sign;
  x[0] = fma_rn(a, cosine, -(b * sine));
  x[half] = fma_rn(b, cosine, a * sine);
}

/** Columns that are set to +0 after the diagonal: to the end of the largest tile of a matmul (matmul.cuh). */
#define TILE_MARGIN 128

/**
 * Causal softmax in place: scores (heads', length, length), heads' the heads of all sequences at hand. Row i, columns
 * j ≤ i: z = s · scale, M = max z, e = exp(z − M), P = e / Σ₃₂ e; columns j > i to the end of the tile become +0. One
 * warp a row, `rows` = heads' · length. About 25 FLOPs and 12 bytes an element.
 */
extern "C" __global__ void causal_softmax(float* scores, unsigned rows, unsigned length, float scale) {
  const unsigned row = warp_index();
  if (row >= rows) return;
  const unsigned last = row % length, lane = lane_index();
  float* s = scores + (size_t) row * length;
  float largest = from_bits(0xff800000);
  for (unsigned j = lane; j <= last; j += 32) {
    const float z = s[j] * scale;
    s[j] = z;
    largest = z > largest ? z : largest;
  }
  largest = largest_of_lanes(largest);
  float partial = 0.0f;
  for (unsigned j = lane; j <= last; j += 32) {
    const float e = exp_of_negative(s[j] - largest);
    s[j] = e;
    partial = partial + e;
  }
  const float total = combine_lanes(partial);
  const unsigned margin = (last / TILE_MARGIN + 1) * TILE_MARGIN, end = margin < length ? margin : length;
  for (unsigned j = lane; j < end; j += 32) s[j] = j <= last ? div_rn(s[j], total) : 0.0f;
}

/**
 * Backward of the softmax in place of dP: for row i, δ = Σ₃₂ dO · O over the head's d features (fma), then
 * dS = (P · (dP − δ)) · scale for j ≤ i, +0 after that to the end of the tile. P and dP (heads', length, length);
 * O and dO start at the first head at hand; problem z is (sequence, head) with `heads` heads a sequence, d features
 * each, and rows of `width` elements. One warp a row. 4 FLOPs, 12 bytes an element.
 */
extern "C" __global__ void causal_softmax_backward(
  const float* probabilities, float* gradients, const float* output, const float* output_gradient, unsigned rows,
  unsigned length, unsigned heads, unsigned head_size, unsigned width, float scale
) {
  const unsigned row = warp_index();
  if (row >= rows) return;
  const unsigned last = row % length, problem = row / length, head = problem % heads, sequence = problem / heads;
  const size_t at = ((size_t) sequence * length + last) * width + head * head_size;
  const float delta = row_dot(output_gradient + at, output + at, head_size);
  const float* p = probabilities + (size_t) row * length;
  float* g = gradients + (size_t) row * length;
  const unsigned margin = (last / TILE_MARGIN + 1) * TILE_MARGIN, end = margin < length ? margin : length;
  for (unsigned j = lane_index(); j < end; j += 32) g[j] = j <= last ? p[j] * (g[j] - delta) * scale : 0.0f;
}
