/**
 * What the passes of causal attention share. Queries, keys and values (R, heads, 3, HEAD_SIZE) 16-bit, already rotated;
 * R = windows * T rows. A head size that is no multiple of 16 is padded with zeros in shared memory.
 *
 * Scores are kept in base 2: P = 2^(q.k * scale2 - L) with scale2 = log2(e) / sqrt(HEAD_SIZE), and L (windows, heads, T)
 * the log2 of the row's sum. A lane's place in the accumulator of m16n8k16: row lane / 4 (and 8 further on), columns
 * 2 * (lane % 4) and the next.
 */
#include "number16.cuh"

constexpr unsigned HEAD_PADDED = (HEAD_SIZE + 15) / 16 * 16;
/** Steps of 16 and tiles of 8 along the head. */
constexpr unsigned HEAD_STEPS = HEAD_PADDED / 16;
constexpr unsigned HEAD_TILES = HEAD_PADDED / 8;
/** Elements from one row of a tile in shared memory to the next: an odd multiple of 16 bytes, free of bank conflicts. */
constexpr unsigned HEAD_STRIDE = HEAD_PADDED + 8;

/** The rows of one head of one window, and how far apart they lie. */
struct HeadRows {
  const number16* data;
  size_t stride;
  unsigned count;
};

/** Begins to copy ROWS rows from `first` on to a tile; zeros beyond the last row and in the padding. */
template <unsigned ROWS>
__device__ __forceinline__ void copy_rows(number16* tile, const HeadRows& from, unsigned first) {
  constexpr unsigned CHUNKS = HEAD_PADDED / 8;
  for (unsigned i = threadIdx.x; i < ROWS * CHUNKS; i += blockDim.x) {
    const unsigned row = i / CHUNKS, column = i % CHUNKS * 8;
    const bool valid = first + row < from.count && column < HEAD_SIZE;
    const size_t offset = valid ? (first + row) * from.stride + column : 0;
    copy_async_16(tile + row * HEAD_STRIDE + column, from.data + offset, valid);
  }
}

/** A's fragment: rows `row` ... `row` + 15, 16 columns from `column`. */
__device__ __forceinline__ void load_rows_a(unsigned (&a)[4], const number16* tile, unsigned row, unsigned column) {
  const unsigned lane = threadIdx.x % 32;
  load_matrix_x4(a, tile + (row + lane % 16) * HEAD_STRIDE + column + lane / 16 * 8);
}

/** B's fragments for a matmul with the tile transposed: n = rows `row` and `row` + 8 on, k = 16 columns on. */
__device__ __forceinline__ void load_rows_b(unsigned (&b)[2][2], const number16* tile, unsigned row, unsigned column) {
  const unsigned lane = threadIdx.x % 32;
  unsigned d[4];
  load_matrix_x4(d, tile + (row + lane % 8 + lane / 16 * 8) * HEAD_STRIDE + column + lane / 8 % 2 * 8);
  b[0][0] = d[0], b[0][1] = d[1], b[1][0] = d[2], b[1][1] = d[3];
}

/** B's fragments for a matmul with the tile as it is: k = 16 rows from `row`, n = columns `column` and `column` + 8 on. */
__device__ __forceinline__ void load_columns_b(unsigned (&b)[2][2], const number16* tile, unsigned row,
                                               unsigned column) {
  const unsigned lane = threadIdx.x % 32;
  unsigned d[4];
  load_matrix_x4_transposed(d, tile + (row + lane % 16) * HEAD_STRIDE + column + lane / 16 * 8);
  b[0][0] = d[0], b[0][1] = d[1], b[1][0] = d[2], b[1][1] = d[3];
}

/** Two neighbouring accumulators (16 x 8 each) as A's fragment of a matmul over their 16 columns. */
__device__ __forceinline__ void accumulators_as_a(unsigned (&a)[4], const float (&left)[4], const float (&right)[4]) {
  a[0] = pack_16(left[0], left[1]);
  a[1] = pack_16(left[2], left[3]);
  a[2] = pack_16(right[0], right[1]);
  a[3] = pack_16(right[2], right[3]);
}

/** Scores of queries (rows) from `query` and keys (columns) from `key` on: -infinity where the key comes later. */
__device__ __forceinline__ void hide_later(float (&scores)[4], unsigned query, unsigned key) {
  const unsigned lane = threadIdx.x % 32, row = query + lane / 4, column = key + lane % 4 * 2;
#pragma unroll
  for (unsigned j = 0; j < 4; j++) {
    if (column + j % 2 > row + j / 2 * 8) scores[j] = -__int_as_float(0x7f800000);
  }
}

/** The same of scores transposed, keys (rows) and queries (columns): -infinity where the query comes earlier. */
__device__ __forceinline__ void hide_earlier(float (&scores)[4], unsigned key, unsigned query) {
  const unsigned lane = threadIdx.x % 32, row = key + lane / 4, column = query + lane % 4 * 2;
#pragma unroll
  for (unsigned j = 0; j < 4; j++) {
    if (row + j / 2 * 8 > column + j % 2) scores[j] = -__int_as_float(0x7f800000);
  }
}

/** Writes 16 rows of accumulators times `factor` to rows `row` ... of one head, those that exist. */
__device__ __forceinline__ void store_rows(number16* data, size_t stride, unsigned count, unsigned row,
                                           const float (&sums)[HEAD_TILES][4], float upper_factor,
                                           float lower_factor) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned half = 0; half < 2; half++) {
    const unsigned at = row + 8 * half + lane / 4;
    const float factor = half == 0 ? upper_factor : lower_factor;
    if (at >= count) continue;
#pragma unroll
    for (unsigned tile = 0; tile < HEAD_SIZE / 8; tile++) {
      *reinterpret_cast<unsigned*>(data + at * stride + tile * 8 + lane % 4 * 2) =
          pack_16(sums[tile][2 * half] * factor, sums[tile][2 * half + 1] * factor);
    }
  }
}
