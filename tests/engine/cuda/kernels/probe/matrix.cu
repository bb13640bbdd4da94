/** One tile matmul by the tensor cores' instruction, its operands loaded in both ways. One warp. */
#include "portable.cuh"

/** D (16, 8) = A (16, 16) * B, B stored as its transpose (8, 16); fragments by the layout of PTX. 16-bit elements. */
__device__ __forceinline__ void load_directly(unsigned (&a)[4], unsigned (&b)[2], const unsigned short* A,
                                              const unsigned short* B) {
  const unsigned g = threadIdx.x / 4, q = threadIdx.x % 4;
  const unsigned *a_words = reinterpret_cast<const unsigned*>(A), *b_words = reinterpret_cast<const unsigned*>(B);
  for (unsigned j = 0; j < 4; j++) a[j] = a_words[(g + 8 * (j % 2)) * 8 + q + 4 * (j / 2)];
  for (unsigned j = 0; j < 2; j++) b[j] = b_words[g * 8 + q + 4 * j];
}

__device__ __forceinline__ void store(float* D, const float (&d)[4]) {
  const unsigned g = threadIdx.x / 4, q = threadIdx.x % 4;
  for (unsigned j = 0; j < 4; j++) D[(g + 8 * (j / 2)) * 8 + 2 * q + j % 2] = d[j];
}

extern "C" __global__ void tile_f16(float* D, const unsigned short* A, const unsigned short* B) {
  unsigned a[4], b[2];
  load_directly(a, b, A, B);
  float d[4] = {1, 1, 1, 1};
  mma_f16(d, a, b);
  store(D, d);
}

extern "C" __global__ void tile_bf16(float* D, const unsigned short* A, const unsigned short* B) {
  unsigned a[4], b[2];
  load_directly(a, b, A, B);
  float d[4] = {1, 1, 1, 1};
  mma_bf16(d, a, b);
  store(D, d);
}

/**
 * The same by way of shared memory: asynchronous copies, then ldmatrix. B is given as (16, 8) here, so that its
 * fragments come from the transposed load.
 */
extern "C" __global__ void tile_by_load_matrix(float* D, const unsigned short* A, const unsigned short* B) {
  DYNAMIC_SHARED(unsigned short, shared);
  unsigned short *const shared_a = shared, *const shared_b = shared + 256;
  const unsigned lane = threadIdx.x;
  copy_async_16(shared_a + 8 * lane, A + 8 * lane);
  copy_async_commit();
  if (lane < 16) copy_async_16(shared_b + 8 * lane, B + 8 * lane);
  copy_async_commit();
  copy_async_wait<0>();
  __syncwarp();
  unsigned a[4], b[2];
  // Matrices in the order of a[0..3]: rows 0..7 and 8..15 of columns 0..7, then of columns 8..15.
  load_matrix_x4(a, shared_a + (lane % 16) * 16 + lane / 16 * 8);
  load_matrix_x2_transposed(b, shared_b + (lane % 16) * 8);
  float d[4] = {1, 1, 1, 1};
  mma_f16(d, a, b);
  store(D, d);
}

/** The fragments that the other two loads give: out (6, 32). */
extern "C" __global__ void load_matrices(unsigned* out, const unsigned short* A) {
  DYNAMIC_SHARED(unsigned short, shared);
  const unsigned lane = threadIdx.x;
  for (unsigned i = 0; i < 8; i++) shared[8 * lane + i] = A[8 * lane + i];
  __syncwarp();
  unsigned x4[4], x2[2];
  load_matrix_x4_transposed(x4, shared + 8 * lane);
  load_matrix_x2(x2, shared + 8 * (lane % 16));
  for (unsigned j = 0; j < 4; j++) out[j * 32 + lane] = x4[j];
  for (unsigned j = 0; j < 2; j++) out[(4 + j) * 32 + lane] = x2[j];
}

/** y = x + 1 through two buffers of shared memory, each filled while the other is read. n words, a multiple of 128. */
extern "C" __global__ void pipeline(unsigned* y, const unsigned* x, unsigned n) {
  DYNAMIC_SHARED(unsigned, buffers);
  const unsigned t = threadIdx.x, tiles = n / 128;
  copy_async_4(buffers + t, x + t);
  copy_async_commit();
  for (unsigned tile = 0; tile < tiles; tile++) {
    const bool more = tile + 1 < tiles;
    copy_async_4(buffers + (tile + 1) % 2 * 128 + t, more ? x + (tile + 1) * 128 + t : x, more);
    copy_async_commit();
    copy_async_wait<1>();
    __syncthreads();
    y[tile * 128 + t] = buffers[tile % 2 * 128 + (t + 1) % 128] + 1;
    __syncthreads();
  }
}
