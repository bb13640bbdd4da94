/**
 * Bias and exact (erf) GELU of the MLP: g(x) = x * Phi(x), g'(x) = Phi(x) + x * phi(x). Rows R of m columns, m a multiple
 * of 8. A thread has 8 neighbouring columns of a piece of rows; blocks along x cover the columns, along y the pieces.
 */
#include "number16.cuh"

/** Rows whose column sums form one chain. */
constexpr unsigned GELU_PIECE = 32;

__device__ __forceinline__ float normal_distribution(float x) {
  return 0.5f + 0.5f * erff(x * 0.70710678118654752f);
}

/** activation (R, m) = GELU(hidden + bias); hidden (R, m) stays. Bytes a row: 2m read, 2m written. */
extern "C" __global__ void bias_gelu(const unsigned short* hidden, const float* bias, unsigned short* activation,
                                     unsigned rows, unsigned m) {
  const unsigned column = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
  if (column >= m) return;
  float offset[8], x[8];
  load_8(bias + column, offset);
  const unsigned first = blockIdx.y * GELU_PIECE, last = min(first + GELU_PIECE, rows);
#pragma unroll 2
  for (unsigned row = first; row < last; row++) {
    const size_t at = static_cast<size_t>(row) * m + column;
    load_8(hidden + at, x);
    for (int i = 0; i < 8; i++) {
      x[i] += offset[i];
      x[i] *= normal_distribution(x[i]);
    }
    store_8(activation + at, x);
  }
}

/**
 * gradient (R, m) of the activation -> that of the hidden layer, in place; `sums` (pieces, m) its column sums, the
 * gradient of the bias. Bytes a row: 4m read, 2m written.
 */
extern "C" __global__ void bias_gelu_backward(unsigned short* gradient, const unsigned short* hidden,
                                              const float* bias, float* sums, unsigned rows, unsigned m) {
  const unsigned column = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
  if (column >= m) return;
  float offset[8], x[8], d[8], sum[8] = {};
  load_8(bias + column, offset);
  const unsigned first = blockIdx.y * GELU_PIECE, last = min(first + GELU_PIECE, rows);
#pragma unroll 2
  for (unsigned row = first; row < last; row++) {
    const size_t at = static_cast<size_t>(row) * m + column;
    load_8(hidden + at, x);
    load_8(gradient + at, d);
    for (int i = 0; i < 8; i++) {
      const float value = x[i] + offset[i];
      // exp(-x^2 / 2) / sqrt(2 pi)
      const float density = 0.3989422804014327f * exp2_approx(value * value * -0.72134752044448170f);
      d[i] *= normal_distribution(value) + value * density;
      sum[i] += d[i];
    }
    store_8(gradient + at, d);
  }
  store_8(sums + static_cast<size_t>(blockIdx.y) * m + column, sum);
}
