// Sums over rows (docs/arithmetic.md §2): rows of each sequence are cut into pieces of 64; a piece is a chain from +0 in
// ascending row order, and the pieces of a gradient block's sequences are added in ascending order. Two kernels: one
// thread a piece and column, then one thread a column.
#include "../portable.cuh"

#define PIECE_ROWS 64

/**
 * dy (sequences · length, width) → pieces (sequences, ⌈length / 64⌉, width). With x̂ not null (the shape of dy) the
 * rounded products dy · x̂ are summed. grid: (⌈width / threads⌉, pieces). 1–2 FLOPs, 4–8 bytes an element.
 */
extern "C" __global__ void column_pieces(
  const float* dy, const float* normalized, float* pieces, unsigned length, unsigned width
) {
  const unsigned column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= width) return;
  const unsigned per_sequence = (length + PIECE_ROWS - 1) / PIECE_ROWS;
  const unsigned sequence = blockIdx.y / per_sequence, first = blockIdx.y % per_sequence * PIECE_ROWS;
  const unsigned last = first + PIECE_ROWS < length ? first + PIECE_ROWS : length;
  float sum = 0.0f;
  for (unsigned row = first; row < last; row++) {
    const size_t i = ((size_t) sequence * length + row) * width + column;
    sum = sum + (normalized == nullptr ? dy[i] : dy[i] * normalized[i]);
  }
  pieces[(size_t) blockIdx.y * width + column] = sum;
}

/**
 * pieces (blocks, count, width) → sums (width) of each block, `stride` elements apart, a chain from +0. With `twin` not
 * null the same sums go there too. grid: (⌈width / threads⌉, blocks).
 */
extern "C" __global__ void join_column_pieces(
  const float* pieces, float* sums, float* twin, unsigned count, unsigned width, unsigned stride
) {
  const unsigned column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= width) return;
  const float* in = pieces + (size_t) blockIdx.y * count * width + column;
  float sum = 0.0f;
  for (unsigned i = 0; i < count; i++) sum = sum + in[(size_t) i * width];
  const size_t out = (size_t) blockIdx.y * stride + column;
  sums[out] = sum;
  if (twin != nullptr) twin[out] = sum;
}
