// Matmul in ordered f32: every element of C is one chain of fma over k ascending, held by one thread. Tiles,
// blocks and warps only divide the output.
//
// A block of (BM / TM) · (BN / TN) threads computes a tile BM × BN of C. Tiles BK deep of A and B pass through shared
// memory, k-major, twice buffered: while one is multiplied the next is already on its way in registers. A thread holds
// TM × TN elements of C as quads of 4 rows and 4 columns, BM / (TM / 4) rows and BN / (TN / 4) columns apart, so that
// a warp reads shared memory in whole quads without conflicts.
//
// Bytes from global memory: 4 · K · (M · N / BN + N · M / BM); FLOPs: 2 · M · N · K.
#include "../portable.cuh"

/** How A and B lie in memory, row-major: as the matmul needs them, or transposed. */
enum Layout { A_B, A_TRANSPOSED_B, TRANSPOSED_A_B };

/** Which part of a triangle a matmul needs; rows of C are query positions. */
enum Extent : unsigned {
  FULL = 0,
  /** C[m, n] with n ≤ m only; what else lies in a tile on the diagonal is computed and means nothing */
  LOWER = 1,
  /** k ≤ m only: A[m, k] is +0 beyond, up to the end of m's tile */
  ENDS_AT_ROW = 2,
  /** k ≥ m only: A[k, m] is +0 before, back to the start of m's tile */
  STARTS_AT_ROW = 3,
};

/** Problems of one shape in one launch: problem z starts (z / inner) outer and (z % inner) inner strides further. */
struct Strides {
  unsigned outer, inner;
};

/** A matmul's operands; sizes in elements, all multiples of 4, pointers aligned to 16 bytes. */
struct Matmul {
  const float* a;
  const float* b;
  float* c;
  /** added to each finished chain, (N), or null */
  const float* bias;
  unsigned m, n, k;
  /** elements from row to row */
  unsigned lda, ldb, ldc;
  Strides a_strides, b_strides, c_strides;
  unsigned inner;
  unsigned extent;
  /** chains start from +0, not from what C holds */
  bool fresh;
};

struct alignas(16) Quad {
  float v[4];
};

/** Carries one operand's tiles from global to shared memory. ALONG_K: k is the fast axis in global memory. */
template <int ROWS, int BK, int THREADS, bool ALONG_K>
struct TileLoader {
  static constexpr int QUADS = ROWS * BK / 4 / THREADS;
  static_assert(QUADS * THREADS * 4 == ROWS * BK, "a tile must divide evenly among threads");
  /** elements from one k to the next in shared memory */
  static constexpr int STRIDE = ROWS + 4;
  Quad held[QUADS];

  /** Rows `row0`… of the operand, k from `k0`; +0 outside `rows` and `k_end`. */
  __device__ __forceinline__ void fetch(
    const float* x, unsigned ld, unsigned row0, unsigned rows, unsigned k0, unsigned k_end
  ) {
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
      const unsigned q = threadIdx.x + i * THREADS;
      const unsigned row = row0 + (ALONG_K ? q / (BK / 4) : q % (ROWS / 4) * 4);
      const unsigned k = k0 + (ALONG_K ? q % (BK / 4) * 4 : q / (ROWS / 4));
      if (row < rows && k < k_end) {
        held[i] = *(const Quad*) (x + (ALONG_K ? (size_t) row * ld + k : (size_t) k * ld + row));
      } else {
        held[i] = {};
      }
    }
  }

  __device__ __forceinline__ void store(float* tile) const {
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
      const unsigned q = threadIdx.x + i * THREADS;
      if (ALONG_K) {
        float* at = tile + q % (BK / 4) * 4 * STRIDE + q / (BK / 4);
#pragma unroll
        for (int j = 0; j < 4; j++) at[j * STRIDE] = held[i].v[j];
      } else {
        *(Quad*) (tile + q / (ROWS / 4) * STRIDE + q % (ROWS / 4) * 4) = held[i];
      }
    }
  }
};

/** Floats of shared memory that a block needs. */
template <int BM, int BN, int BK>
constexpr int SHARED_FLOATS = 2 * BK * (BM + 4 + BN + 4);

template <Layout LAYOUT, int BM, int BN, int BK, int TM, int TN>
__device__ __forceinline__ void multiply(Matmul p, float* shared) {
  constexpr int THREADS = (BM / TM) * (BN / TN), ACROSS = BN / TN;
  constexpr int ROW_QUADS = TM / 4, COLUMN_QUADS = TN / 4;
  const unsigned m0 = blockIdx.y * BM, n0 = blockIdx.x * BN;
  if (p.extent == LOWER && n0 >= m0 + BM) return;
  const unsigned outer = blockIdx.z / p.inner, inner = blockIdx.z % p.inner;
  const float* a = p.a + ((size_t) outer * p.a_strides.outer + (size_t) inner * p.a_strides.inner);
  const float* b = p.b + ((size_t) outer * p.b_strides.outer + (size_t) inner * p.b_strides.inner);
  float* c = p.c + ((size_t) outer * p.c_strides.outer + (size_t) inner * p.c_strides.inner);

  TileLoader<BM, BK, THREADS, LAYOUT != TRANSPOSED_A_B> load_a;
  TileLoader<BN, BK, THREADS, LAYOUT == A_TRANSPOSED_B> load_b;
  constexpr int STRIDE_A = BM + 4, STRIDE_B = BN + 4;
  float* tiles_a = shared;
  float* tiles_b = shared + 2 * BK * STRIDE_A;
  const unsigned row = threadIdx.x / ACROSS * 4, column = threadIdx.x % ACROSS * 4;

  float sums[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; i++) {
    const unsigned m = m0 + row + i / 4 * (BM / ROW_QUADS) + i % 4;
#pragma unroll
    for (int j = 0; j < COLUMN_QUADS; j++) {
      const unsigned n = n0 + column + j * (BN / COLUMN_QUADS);
      const bool joins = !p.fresh && m < p.m && n < p.n;
      const Quad start = joins ? *(const Quad*) (c + (size_t) m * p.ldc + n) : Quad{};
#pragma unroll
      for (int e = 0; e < 4; e++) sums[i][j * 4 + e] = start.v[e];
    }
  }

  const unsigned k_begin = p.extent == STARTS_AT_ROW ? m0 : 0;
  const unsigned k_end = p.extent == ENDS_AT_ROW && m0 + BM < p.k ? m0 + BM : p.k;
  load_a.fetch(a, p.lda, m0, p.m, k_begin, k_end);
  load_b.fetch(b, p.ldb, n0, p.n, k_begin, k_end);
  load_a.store(tiles_a);
  load_b.store(tiles_b);
  __syncthreads();
  int current = 0;
  for (unsigned k0 = k_begin; k0 < k_end; k0 += BK) {
    const bool more = k0 + BK < k_end;
    if (more) {
      load_a.fetch(a, p.lda, m0, p.m, k0 + BK, k_end);
      load_b.fetch(b, p.ldb, n0, p.n, k0 + BK, k_end);
    }
    const float* tile_a = tiles_a + current * BK * STRIDE_A;
    const float* tile_b = tiles_b + current * BK * STRIDE_B;
// More than two at a time, and ptxas keeps so many operands ready that sums spill out of the registers.
#pragma unroll 2
    for (int k = 0; k < BK; k++) {
      float x[TM], y[TN];
#pragma unroll
      for (int q = 0; q < ROW_QUADS; q++) {
        const Quad quad = *(const Quad*) (tile_a + k * STRIDE_A + row + q * (BM / ROW_QUADS));
#pragma unroll
        for (int e = 0; e < 4; e++) x[q * 4 + e] = quad.v[e];
      }
#pragma unroll
      for (int q = 0; q < COLUMN_QUADS; q++) {
        const Quad quad = *(const Quad*) (tile_b + k * STRIDE_B + column + q * (BN / COLUMN_QUADS));
#pragma unroll
        for (int e = 0; e < 4; e++) y[q * 4 + e] = quad.v[e];
      }
#pragma unroll
      for (int i = 0; i < TM; i++) {
#pragma unroll
        for (int j = 0; j < TN; j++) sums[i][j] = fma_rn(x[i], y[j], sums[i][j]);
      }
    }
    if (more) {
      // The other buffer was last read before the barrier of the step before this one.
      current ^= 1;
      load_a.store(tiles_a + current * BK * STRIDE_A);
      load_b.store(tiles_b + current * BK * STRIDE_B);
      __syncthreads();
    }
  }

#pragma unroll
  for (int i = 0; i < TM; i++) {
    const unsigned m = m0 + row + i / 4 * (BM / ROW_QUADS) + i % 4;
    if (m >= p.m) continue;
#pragma unroll
    for (int j = 0; j < COLUMN_QUADS; j++) {
      const unsigned n = n0 + column + j * (BN / COLUMN_QUADS);
      if (n >= p.n) continue;
      Quad out;
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const float sum = sums[i][j * 4 + e];
        out.v[e] = p.bias == nullptr ? sum : sum + p.bias[n + e];
      }
      *(Quad*) (c + (size_t) m * p.ldc + n) = out;
    }
  }
}
