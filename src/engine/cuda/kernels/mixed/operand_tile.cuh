/**
 * A tile of an operand of a matmul in shared memory: 128 rows (of the output's M or N) by 32 of k, 16-bit, as it
 * lies in memory: with k innermost, or with the rows innermost. Lines are padded by 16 bytes, so that the 8 lines of a
 * matrix that load_matrix reads lie in different banks.
 */
#include "number16.cuh"

constexpr unsigned MATMUL_TILE = 128;
constexpr unsigned MATMUL_DEPTH = 32;
constexpr unsigned MATMUL_THREADS = 256;

/** Where the whole operand lies: `rows` x `depth`, neighbouring lines `stride` elements apart. */
struct Operand {
  const number16* data;
  unsigned rows, depth, stride;
};

template <bool K_INNERMOST> struct OperandTile {
  static constexpr unsigned LINES = K_INNERMOST ? MATMUL_TILE : MATMUL_DEPTH;
  static constexpr unsigned LENGTH = K_INNERMOST ? MATMUL_DEPTH : MATMUL_TILE;
  static constexpr unsigned STRIDE = LENGTH + 8;
  static constexpr unsigned ELEMENTS = LINES * STRIDE;

  /** Begins to copy the tile at (row, k); what lies outside the operand, or at `end` of k and beyond, becomes zeros. */
  static __device__ __forceinline__ void copy(number16* tile, const Operand& from, unsigned row, unsigned k,
                                              unsigned end) {
#pragma unroll
    for (unsigned i = 0; i < LINES * LENGTH / 8 / MATMUL_THREADS; i++) {
      const unsigned chunk = i * MATMUL_THREADS + threadIdx.x;
      const unsigned line = chunk / (LENGTH / 8), column = chunk % (LENGTH / 8) * 8;
      const unsigned at_line = (K_INNERMOST ? row : k) + line, at_column = (K_INNERMOST ? k : row) + column;
      const bool valid = K_INNERMOST ? at_line < from.rows && at_column < end : at_line < end && at_column < from.rows;
      const size_t offset = valid ? static_cast<size_t>(at_line) * from.stride + at_column : 0;
      copy_async_16(tile + line * STRIDE + column, from.data + offset, valid);
    }
  }

  /** A's fragment for m16n8k16: 16 rows from `row`, 16 of k from `k`. */
  static __device__ __forceinline__ void load_a(unsigned (&a)[4], const number16* tile, unsigned row, unsigned k) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned at_row = row + (K_INNERMOST ? lane % 16 : lane / 8 % 2 * 8);
    const unsigned at_k = k + (K_INNERMOST ? lane / 16 * 8 : lane % 8 + lane / 16 * 8);
    if (K_INNERMOST) load_matrix_x4(a, tile + at_row * STRIDE + at_k);
    else load_matrix_x4_transposed(a, tile + at_k * STRIDE + at_row);
  }

  /** Two of B's fragments: rows (columns of the output) from `row`, the second 8 further on; 16 of k from `k`. */
  static __device__ __forceinline__ void load_b(unsigned (&b)[2][2], const number16* tile, unsigned row, unsigned k) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned at_row = row + lane / 16 * 8 + (K_INNERMOST ? lane % 8 : 0);
    const unsigned at_k = k + lane / 8 % 2 * 8 + (K_INNERMOST ? 0 : lane % 8);
    unsigned d[4];
    if (K_INNERMOST) load_matrix_x4(d, tile + at_row * STRIDE + at_k);
    else load_matrix_x4_transposed(d, tile + at_k * STRIDE + at_row);
    b[0][0] = d[0], b[0][1] = d[1], b[1][0] = d[2], b[1][1] = d[3];
  }
};
