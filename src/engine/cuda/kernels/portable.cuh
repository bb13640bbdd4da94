/**
 * What a kernel needs beyond CUDA's built-in functions, as inline PTX: no CUDA header, since NVRTC on the user's
 * machine has none. The stand-in (`stand_in/emulation.h`) defines the same names on the CPU.
 *
 * All warp functions need the 32 lanes of the warp. 16-bit values are `unsigned short`, pairs of them `unsigned` with
 * the element of the lower index in the lower half. Conversions round to nearest, ties to even.
 */
#ifndef REWARM_STAND_IN

// ---- Shared memory ----

/** The launch's dynamic shared memory as an array of T, aligned to 128 bytes. One name in a kernel. */
#define DYNAMIC_SHARED(T, name)                               \
  extern __shared__ __align__(128) unsigned char dynamic_shared_memory[]; \
  T* const name = reinterpret_cast<T*>(dynamic_shared_memory)

/** `count` elements of T in the block's shared memory. */
#define STATIC_SHARED(T, name, count) __shared__ __align__(16) T name[count]

// ---- f32 with one rounding, never contracted ----

__device__ __forceinline__ float fma_rn(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ __forceinline__ float add_rn(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub_rn(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float mul_rn(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float div_rn(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float sqrt_rn(float x) { return __fsqrt_rn(x); }

// ---- f32, approximate: other bits on other chips, so never in the ordered mode ----

/** 2^x, relative error about 2^-22; 0 where it would be subnormal, which saves three instructions. */
__device__ __forceinline__ float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/** log2(x). */
__device__ __forceinline__ float log2_approx(float x) {
  float y;
  asm("lg2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/** 1 / x. */
__device__ __forceinline__ float reciprocal_approx(float x) {
  float y;
  asm("rcp.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/** 1 / sqrt(x). */
__device__ __forceinline__ float rsqrt_approx(float x) {
  float y;
  asm("rsqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// ---- Between the lanes of a warp; float, int, unsigned ----

/** The value of lane `source`. */
template <class T> __device__ __forceinline__ T shuffle(T value, int source) {
  return __shfl_sync(0xffffffffu, value, source);
}
/** The value of lane (own ^ mask). */
template <class T> __device__ __forceinline__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
/** The value of lane (own + offset), the own one beyond lane 31. */
template <class T> __device__ __forceinline__ T shuffle_down(T value, int offset) {
  return __shfl_down_sync(0xffffffffu, value, offset);
}
/** The value of lane (own - offset), the own one below lane 0. */
template <class T> __device__ __forceinline__ T shuffle_up(T value, int offset) {
  return __shfl_up_sync(0xffffffffu, value, offset);
}
/** Bit i: whether lane i's value is true. */
__device__ __forceinline__ unsigned warp_ballot(bool value) { return __ballot_sync(0xffffffffu, value); }
__device__ __forceinline__ bool warp_any(bool value) { return __any_sync(0xffffffffu, value); }
__device__ __forceinline__ bool warp_all(bool value) { return __all_sync(0xffffffffu, value); }

// ---- 16-bit values ----

__device__ __forceinline__ unsigned short f32_to_f16(float value) {
  unsigned short half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
  return half;
}
__device__ __forceinline__ unsigned short f32_to_bf16(float value) {
  unsigned short half;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(half) : "f"(value));
  return half;
}
__device__ __forceinline__ float f16_to_f32(unsigned short half) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
  return value;
}
__device__ __forceinline__ float bf16_to_f32(unsigned short half) {
  return __uint_as_float(static_cast<unsigned>(half) << 16);
}
__device__ __forceinline__ unsigned pack_f16(float lo, float hi) {
  unsigned pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(hi), "f"(lo));
  return pair;
}
__device__ __forceinline__ unsigned pack_bf16(float lo, float hi) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(hi), "f"(lo));
  return pair;
}
__device__ __forceinline__ void unpack_f16(unsigned pair, float& lo, float& hi) {
  asm("{\n\t.reg .b16 l, h;\n\tmov.b32 {l, h}, %2;\n\tcvt.f32.f16 %0, l;\n\tcvt.f32.f16 %1, h;\n\t}"
      : "=f"(lo), "=f"(hi)
      : "r"(pair));
}
__device__ __forceinline__ void unpack_bf16(unsigned pair, float& lo, float& hi) {
  lo = __uint_as_float(pair << 16);
  hi = __uint_as_float(pair & 0xffff0000u);
}

// ---- Tensor cores: D (16 x 8, f32) += A (16 x 16) * B (16 x 8) ----
// With g = lane / 4 and q = lane % 4: a[0..3] hold A[g + 8 * (j % 2)][2q + 8 * (j / 2) + {0, 1}], b[0..1] hold
// B[2q + 8 * j + {0, 1}][g], d[0..3] hold D[g + 8 * (j / 2)][2q + j % 2].

__device__ __forceinline__ void mma_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// ---- Matrices of 8 x 8 16-bit elements from shared memory ----
// Lane i hands in the address of row i % 8 of matrix i / 8 (16 bytes, aligned to 16; x2 uses lanes 0..15). d[j] is row
// g, elements 2q and 2q + 1 of matrix j; transposed: rows 2q and 2q + 1 of column g.

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}
__device__ __forceinline__ void load_matrix_x4(unsigned (&d)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x4_transposed(unsigned (&d)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x2(unsigned (&d)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(d[0]), "=r"(d[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x2_transposed(unsigned (&d)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(d[0]), "=r"(d[1])
               : "r"(shared_address(row))
               : "memory");
}

// ---- Copies from global to shared memory that go on while the thread computes ----

/** 16 bytes, both sides aligned to 16; zeros where not valid (`global` must still be an address of the allocation). */
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
               : "memory");
}
/** 4 bytes, both sides aligned to 4. */
__device__ __forceinline__ void copy_async_4(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(valid ? 4 : 0)
               : "memory");
}
/** Closes a group of this thread's copies. */
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/** Waits until at most `groups_left` of this thread's groups are under way. Other threads see them after a barrier. */
template <int groups_left> __device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups_left) : "memory");
}

#endif
