// The embedding look-up and its gradient, without atomics: each row of the table has one owner.
#include "../portable.cuh"

/**
 * table (V, width), tokens (sequences, length + 1) → x (sequences · length, width); the last token of a sequence is a
 * target only. grid: (sequences · length, ⌈width / threads⌉).
 */
extern "C" __global__ void gather_rows(
  const float* table, const unsigned short* tokens, float* x, unsigned length, unsigned width
) {
  const unsigned column = blockIdx.y * blockDim.x + threadIdx.x, row = blockIdx.x;
  if (column >= width) return;
  const unsigned token = tokens[row / length * (length + 1) + row % length];
  x[(size_t) row * width + column] = table[(size_t) token * width + column];
}

/**
 * dTable[id] = the chain from +0 over dx of the rows that hold id, ascending. The host sorts: `ids` (n) distinct tokens
 * with a gradient block's number in the upper 16 bits, `starts` (n + 1) into `rows`. dTable (V, width) of each block,
 * `stride` elements apart, holds zeros elsewhere. grid: (n, ⌈width / threads⌉).
 */
extern "C" __global__ void scatter_rows(
  const float* dx, const unsigned* ids, const unsigned* starts, const unsigned* rows, float* table, unsigned width,
  unsigned stride
) {
  const unsigned column = blockIdx.y * blockDim.x + threadIdx.x;
  if (column >= width) return;
  const unsigned id = ids[blockIdx.x], end = starts[blockIdx.x + 1];
  float sum = 0.0f;
  for (unsigned i = starts[blockIdx.x]; i < end; i++) sum = sum + dx[(size_t) rows[i] * width + column];
  table[(size_t) (id >> 16) * stride + (size_t) (id & 0xffff) * width + column] = sum;
}
