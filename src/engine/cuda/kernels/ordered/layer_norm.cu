// The pair of LayerNorms that a parallel residual block applies to one input (docs/arithmetic.md §4, §5). Both share
// mean and deviation: x̂ = (x − mean) · rstd, y₁ = fma(x̂, γ₁, β₁), y₂ = fma(x̂, γ₂, β₂). One warp a row.
#include "lanes.cuh"

/**
 * x (rows, width) → x̂ (rows, width), rstd (rows). Sums by 32 lanes. 8 FLOPs and 16 bytes an element, three of the four
 * reads from cache.
 */
extern "C" __global__ void normalize(
  const float* x, float* normalized, float* rstds, unsigned rows, unsigned width, float epsilon
) {
  const unsigned row = warp_index();
  if (row >= rows) return;
  const float* in = x + (size_t) row * width;
  float* out = normalized + (size_t) row * width;
  const float count = (float) width;
  const float mean = div_rn(row_sum(in, width), count);
  float partial = 0.0f;
  for (unsigned i = lane_index(); i < width; i += 32) {
    const float deviation = in[i] - mean;
    partial = fma_rn(deviation, deviation, partial);
  }
  const float variance = div_rn(combine_lanes(partial), count);
  const float rstd = div_rn(1.0f, sqrt_rn(variance + epsilon));
  if (lane_index() == 0) rstds[row] = rstd;
  for (unsigned i = lane_index(); i < width; i += 32) out[i] = (in[i] - mean) * rstd;
}

/** y = fma(x̂, γ, β): x̂ and y (count / width, width), γ and β (width). One thread an element; 2 FLOPs, 8 bytes. */
extern "C" __global__ void scale_and_shift(
  const float* normalized, const float* gamma, const float* beta, float* y, unsigned count, unsigned width
) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) y[i] = fma_rn(normalized[i], gamma[i % width], beta[i % width]);
}

/**
 * d = dy₁ · γ₁, and with dy₂ not null d = fma(dy₂, γ₂, d): dy and d (count / width, width), γ (width). One thread an
 * element; at most 3 FLOPs, 12 bytes.
 */
extern "C" __global__ void scale_gradient(
  const float* dy1, const float* gamma1, const float* dy2, const float* gamma2, float* d, unsigned count, unsigned width
) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float first = dy1[i] * gamma1[i % width];
  d[i] = dy2 == nullptr ? first : fma_rn(dy2[i], gamma2[i % width], first);
}

/**
 * Through the normalisation, joined to the residual's gradient: c = Σ₃₂ d / width, p = Σ₃₂ d · x̂ / width,
 * dx = fma(rstd, fma(−x̂, p, d − c), dx). d, x̂, dx (rows, width). 8 FLOPs, 16 bytes an element.
 */
extern "C" __global__ void normalize_backward(
  const float* d, const float* normalized, const float* rstds, float* dx, unsigned rows, unsigned width
) {
  const unsigned row = warp_index();
  if (row >= rows) return;
  const float* g = d + (size_t) row * width;
  const float* x = normalized + (size_t) row * width;
  float* out = dx + (size_t) row * width;
  const float count = (float) width;
  const float mean = div_rn(row_sum(g, width), count);
  const float projection = div_rn(row_dot(g, x, width), count);
  const float rstd = rstds[row];
  for (unsigned i = lane_index(); i < width; i += 32) {
    const float inner = fma_rn(-x[i], projection, g[i] - mean);
    out[i] = fma_rn(rstd, inner, out[i]);
  }
}
