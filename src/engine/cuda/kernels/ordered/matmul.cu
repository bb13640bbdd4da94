// The matmuls of the ordered mode: three layouts by three sizes of tile. The host chooses the tile from the problem's
// shape; all give the same bits. 128×128: large matmuls; 128×64: the attention's, whose width is the head size; 32×32:
// small models.
#include "matmul.cuh"

/** C (M, N) = A (M, K) · Bᵀ, B (N, K), by tiles of 128 × 128. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_nt_128x128(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_TRANSPOSED_B, 128, 128, 8, 8, 8>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = A (M, K) · Bᵀ, B (N, K), by tiles of 128 × 64. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_nt_128x64(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_TRANSPOSED_B, 128, 64, 16, 8, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = A (M, K) · Bᵀ, B (N, K), by tiles of 32 × 32. */
extern "C" __global__ void __launch_bounds__(64) matmul_nt_32x32(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_TRANSPOSED_B, 32, 32, 16, 4, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = A (M, K) · B (K, N), by tiles of 128 × 128. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_nn_128x128(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_B, 128, 128, 8, 8, 8>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = A (M, K) · B (K, N), by tiles of 128 × 64. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_nn_128x64(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_B, 128, 64, 16, 8, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = A (M, K) · B (K, N), by tiles of 32 × 32. */
extern "C" __global__ void __launch_bounds__(64) matmul_nn_32x32(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<A_B, 32, 32, 16, 4, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = Aᵀ · B, A (K, M), B (K, N), by tiles of 128 × 128. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_tn_128x128(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<TRANSPOSED_A_B, 128, 128, 8, 8, 8>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = Aᵀ · B, A (K, M), B (K, N), by tiles of 128 × 64. */
extern "C" __global__ void __launch_bounds__(256, 2) matmul_tn_128x64(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<TRANSPOSED_A_B, 128, 64, 16, 8, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}

/** C (M, N) = Aᵀ · B, A (K, M), B (K, N), by tiles of 32 × 32. */
extern "C" __global__ void __launch_bounds__(64) matmul_tn_32x32(
  const float* a, const float* b, float* c, const float* bias, unsigned m, unsigned n, unsigned k, unsigned lda,
  unsigned ldb, unsigned ldc, unsigned a_outer, unsigned a_inner, unsigned b_outer, unsigned b_inner, unsigned c_outer,
  unsigned c_inner, unsigned inner, unsigned extent, unsigned fresh
) {
  DYNAMIC_SHARED(float, shared);
  multiply<TRANSPOSED_A_B, 32, 32, 16, 4, 4>(
    {a, b, c, bias, m, n, k, lda, ldb, ldc, {a_outer, a_inner}, {b_outer, b_inner}, {c_outer, c_inner}, inner, extent,
     fresh != 0},
    shared
  );
}
