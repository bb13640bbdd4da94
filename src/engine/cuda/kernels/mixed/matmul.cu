/**
 * Matmuls on tensor cores, for machines without cuBLASLt: C (M, N) = A * B, 16-bit factors, f32 sums.
 *
 *   matmul_nt: A (M, K), B (N, K): an activation times a weight (out, in)
 *   matmul_nn: A (M, K), B (K, N): a gradient times a weight
 *   matmul_tn: A (K, M), B (K, N): the gradient of a weight, summed over K tokens
 *
 * All dense, innermost dimensions multiples of 8. `_16` rounds C to 16 bits; `_f32` writes f32,
 * added to what stands there with `accumulate`. Blocks along z split K into pieces of `depth`, a multiple of 32: with
 * more than one, `_f32` writes piece z at C + z * M * N (no accumulation), and sum_splits joins the pieces in ascending
 * order. The split depends on the shape alone.
 *
 * Block: 256 threads, 128 x 128 of C; 8 warps as 2 x 4, 64 x 32 each. k in steps of 32, three in flight by cp.async.
 * FLOPs 2 M N K. Bytes from device memory at least 2 (M K + N K) and C; a block reads 512 bytes for each k.
 */
#include "operand_tile.cuh"

constexpr unsigned MATMUL_STAGES = 3;

template <bool A_K_INNERMOST, bool B_K_INNERMOST, class Store>
__device__ __forceinline__ void multiply(number16* shared, const Operand& a, const Operand& b, unsigned depth,
                                         Store store) {
  using A = OperandTile<A_K_INNERMOST>;
  using B = OperandTile<B_K_INNERMOST>;
  constexpr unsigned STAGE = A::ELEMENTS + B::ELEMENTS;
  const unsigned row = blockIdx.x * MATMUL_TILE, column = blockIdx.y * MATMUL_TILE;
  const unsigned begin = blockIdx.z * depth, end = min(begin + depth, a.depth);
  const unsigned steps = (end - begin + MATMUL_DEPTH - 1) / MATMUL_DEPTH;
  const unsigned warp = threadIdx.x / 32, warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;

  const auto copy = [&](unsigned step) {
    if (step < steps) {
      number16* const stage = shared + step % MATMUL_STAGES * STAGE;
      A::copy(stage, a, row, begin + step * MATMUL_DEPTH, end);
      B::copy(stage + A::ELEMENTS, b, column, begin + step * MATMUL_DEPTH, end);
    }
    copy_async_commit();
  };
  for (unsigned step = 0; step < MATMUL_STAGES - 1; step++) copy(step);

  float sum[4][4][4] = {};
  for (unsigned step = 0; step < steps; step++) {
    copy_async_wait<MATMUL_STAGES - 2>();
    __syncthreads();
    // Everyone is done with the stage before, which is the one that is filled next.
    copy(step + MATMUL_STAGES - 1);
    const number16* const tile_a = shared + step % MATMUL_STAGES * STAGE;
    const number16* const tile_b = tile_a + A::ELEMENTS;
#pragma unroll
    for (unsigned k = 0; k < MATMUL_DEPTH; k += 16) {
      unsigned fragment_a[4][4], fragment_b[4][2];
#pragma unroll
      for (unsigned i = 0; i < 4; i++) A::load_a(fragment_a[i], tile_a, warp_row + 16 * i, k);
#pragma unroll
      for (unsigned j = 0; j < 4; j += 2) {
        unsigned pair[2][2];
        B::load_b(pair, tile_b, warp_column + 8 * j, k);
        fragment_b[j][0] = pair[0][0], fragment_b[j][1] = pair[0][1];
        fragment_b[j + 1][0] = pair[1][0], fragment_b[j + 1][1] = pair[1][1];
      }
#pragma unroll
      for (unsigned i = 0; i < 4; i++) {
#pragma unroll
        for (unsigned j = 0; j < 4; j++) mma_16(sum[i][j], fragment_a[i], fragment_b[j]);
      }
    }
  }

  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned i = 0; i < 4; i++) {
#pragma unroll
    for (unsigned j = 0; j < 4; j++) {
#pragma unroll
      for (unsigned half = 0; half < 2; half++) {
        const unsigned m = row + warp_row + 16 * i + 8 * half + lane / 4;
        const unsigned n = column + warp_column + 8 * j + lane % 4 * 2;
        if (m < a.rows && n < b.rows) store(m, n, sum[i][j][2 * half], sum[i][j][2 * half + 1]);
      }
    }
  }
}

/** Pairs of neighbouring columns of C. */
struct Store16 {
  unsigned* c;
  unsigned stride;
  __device__ __forceinline__ void operator()(unsigned m, unsigned n, float left, float right) const {
    c[(static_cast<size_t>(m) * stride + n) / 2] = pack_16(left, right);
  }
};
struct StoreF32 {
  float* c;
  unsigned stride;
  bool accumulate;
  __device__ __forceinline__ void operator()(unsigned m, unsigned n, float left, float right) const {
    float2* const at = reinterpret_cast<float2*>(c + static_cast<size_t>(m) * stride + n);
    if (accumulate) {
      const float2 old = *at;
      left += old.x, right += old.y;
    }
    *at = make_float2(left, right);
  }
};

extern "C" __global__ void __launch_bounds__(MATMUL_THREADS, 2)
    matmul_nt_16(const unsigned short* a, const unsigned short* b, unsigned* c, unsigned m, unsigned n, unsigned k) {
  DYNAMIC_SHARED(number16, shared);
  multiply<true, true>(shared, Operand{a, m, k, k}, Operand{b, n, k, k}, k, Store16{c, n});
}

extern "C" __global__ void __launch_bounds__(MATMUL_THREADS, 2)
    matmul_nn_16(const unsigned short* a, const unsigned short* b, unsigned* c, unsigned m, unsigned n, unsigned k) {
  DYNAMIC_SHARED(number16, shared);
  multiply<true, false>(shared, Operand{a, m, k, k}, Operand{b, n, k, n}, k, Store16{c, n});
}

extern "C" __global__ void __launch_bounds__(MATMUL_THREADS, 2)
    matmul_nt_f32(const unsigned short* a, const unsigned short* b, float* c, unsigned m, unsigned n, unsigned k,
                unsigned depth, unsigned accumulate) {
  DYNAMIC_SHARED(number16, shared);
  float* const target = c + blockIdx.z * static_cast<size_t>(m) * n;
  multiply<true, true>(shared, Operand{a, m, k, k}, Operand{b, n, k, k}, depth,
                       StoreF32{target, n, accumulate != 0});
}

extern "C" __global__ void __launch_bounds__(MATMUL_THREADS, 2)
    matmul_tn_f32(const unsigned short* a, const unsigned short* b, float* c, unsigned m, unsigned n, unsigned k,
                unsigned depth, unsigned accumulate) {
  DYNAMIC_SHARED(number16, shared);
  float* const target = c + blockIdx.z * static_cast<size_t>(m) * n;
  multiply<false, false>(shared, Operand{a, m, k, m}, Operand{b, n, k, n}, depth,
                         StoreF32{target, n, accumulate != 0});
}

/** c (size) = the chain over `splits` pieces (size) each, added to c with `accumulate`. One thread 4 elements. */
extern "C" __global__ void sum_splits(const float* pieces, float* c, unsigned size, unsigned splits,
                                      unsigned accumulate) {
  const size_t at = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (at >= size) return;
  float4 sum = *reinterpret_cast<const float4*>(pieces + at);
  for (unsigned i = 1; i < splits; i++) {
    const float4 piece = *reinterpret_cast<const float4*>(pieces + i * static_cast<size_t>(size) + at);
    sum.x += piece.x, sum.y += piece.y, sum.z += piece.z, sum.w += piece.w;
  }
  float4* const target = reinterpret_cast<float4*>(c + at);
  if (accumulate != 0) {
    const float4 old = *target;
    sum.x += old.x, sum.y += old.y, sum.z += old.z, sum.w += old.w;
  }
  *target = sum;
}
