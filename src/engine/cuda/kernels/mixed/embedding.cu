/**
 * Token embedding, forward and backward. Windows of T + 1 tokens, 16 bits each; row r of a pass is token r % T of window
 * r / T. Rows of h columns, h a multiple of 8.
 */
#include "../portable.cuh"

/** residual (R, h) = the embedding's rows, f32. One thread 4 columns. Bytes a row: 4h read, 4h written. */
extern "C" __global__ void embed(const unsigned short* tokens, const float* embedding, float* residual, unsigned rows,
                                 unsigned h, unsigned sequence_length) {
  const unsigned vectors = h / 4;
  const size_t index = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = index / vectors;
  if (row >= rows) return;
  const unsigned column = static_cast<unsigned>(index % vectors) * 4;
  const unsigned token = tokens[row / sequence_length * (sequence_length + 1) + row % sequence_length];
  *reinterpret_cast<float4*>(residual + row * h + column) =
      *reinterpret_cast<const float4*>(embedding + static_cast<size_t>(token) * h + column);
}

/**
 * Gradient of the embedding: adds to the row of every token that occurs the chain, over its places ascending, of the
 * rows of d_residual (R, h). A block owns one token, so that no two write the same row: token ids[i] occurs at the rows
 * order[starts[i]] ... order[starts[i + 1] - 1]. Bytes: 4h a row read, 8h a token that occurs.
 */
extern "C" __global__ void embedding_backward(const float* d_residual, const unsigned* ids, const unsigned* starts,
                                              const unsigned* order, float* gradient, unsigned h) {
  const unsigned first = starts[blockIdx.x], last = starts[blockIdx.x + 1];
  float* const target = gradient + static_cast<size_t>(ids[blockIdx.x]) * h;
  for (unsigned column = threadIdx.x * 4; column < h; column += blockDim.x * 4) {
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll 8
    for (unsigned i = first; i < last; i++) {
      const float4 row = *reinterpret_cast<const float4*>(d_residual + static_cast<size_t>(order[i]) * h + column);
      sum.x += row.x, sum.y += row.y, sum.z += row.z, sum.w += row.w;
    }
    float4* const at = reinterpret_cast<float4*>(target + column);
    const float4 old = *at;
    *at = make_float4(old.x + sum.x, old.y + sum.y, old.z + sum.z, old.w + sum.w);
  }
}
