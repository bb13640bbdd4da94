// GELU, the residual sum and other passes over memory, one thread an element.
#include "elementary.cuh"

/**
 * Exact (erf) GELU (docs/arithmetic.md §3): x (count) becomes x · Φ(x), and with `derivative` not null Φ(x) + x · φ(x)
 * goes there for the backward pass. About 40 FLOPs, 12 bytes an element.
 */
extern "C" __global__ void gelu(float* x, float* derivative, unsigned long long count) {
  const unsigned long long i = blockIdx.x * (unsigned long long) blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float value = x[i], u = value < 0.0f ? -value : value;
  const float e = exp_of_negative(u * u * -0.5f);
  const float tail = e * normal_tail(u);
  const float distribution = value < 0.0f ? tail : 1.0f - tail;
  if (derivative != nullptr) derivative[i] = fma_rn(value, e * from_bits(0x3ecc422a), distribution);
  x[i] = value * distribution;
}

/** y = y · x over `count` elements. */
extern "C" __global__ void multiply_into(float* y, const float* x, unsigned long long count) {
  const unsigned long long i = blockIdx.x * (unsigned long long) blockDim.x + threadIdx.x;
  if (i < count) y[i] = y[i] * x[i];
}

/** y = y + x over `count` elements. */
extern "C" __global__ void add_into(float* y, const float* x, unsigned long long count) {
  const unsigned long long i = blockIdx.x * (unsigned long long) blockDim.x + threadIdx.x;
  if (i < count) y[i] = y[i] + x[i];
}

/**
 * The residual stream after a layer: R = R + ((U + bias₁) + bias₂). R and U (count / width, width), biases (width).
 * 3 FLOPs, 12 bytes an element.
 */
extern "C" __global__ void join_residual(
  float* residual, const float* update, const float* bias1, const float* bias2, unsigned count, unsigned width
) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) residual[i] = residual[i] + (update[i] + bias1[i % width] + bias2[i % width]);
}
