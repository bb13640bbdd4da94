/**
 * CUDA C++ for g++: everything a kernel of `kernels/` may use, so that the same source runs on the CPU. Included before
 * the kernel's text when the stand-in is built; what each function means stands in `kernels/portable.cuh`.
 *
 * A CUDA thread is a fiber (`block_scheduler.cpp`). Functions that wait for other threads carry the place of the call,
 * so that a thread that is missing can be named.
 */
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#define REWARM_STAND_IN 1

#define __global__ __attribute__((unused))
#define __device__ __attribute__((unused))
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

// ---- Built-in types and variables ----

struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct uint3 { unsigned x, y, z; };

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

#define threadIdx (stand_in::context->thread_index)
#define blockIdx (stand_in::context->block_index)
#define blockDim (stand_in::context->block_size)
#define gridDim (stand_in::context->grid_size)
constexpr int warpSize = 32;

// ---- The scheduler's side ----

namespace stand_in {

constexpr unsigned LANES = 32;

/** What a warp does together; lanes that meet in different operations are an error. */
enum class Meeting : unsigned { none, barrier, shuffle, vote, mma, load_matrix };

/** What the lanes of one warp hand to each other. Two sets take turns: a lane cannot be two meetings ahead. */
struct Warp {
  unsigned words[2][LANES];
  void* fragments[2][LANES];
  unsigned generation;
  unsigned arrived;
  Meeting meeting;
};

/** What a kernel sees of the CUDA thread that runs. */
struct Context {
  uint3 thread_index, block_index, block_size, grid_size;
  Warp* warp;
  unsigned lane;
  unsigned char* dynamic_shared;
};

/**
 * This CPU thread's; null outside of kernels. It is read without a call. All such memory of a process is set aside when
 * it starts, so that this pointer is all that a stand-in takes of it: a process may load dozens.
 */
extern __thread __attribute__((tls_model("initial-exec"))) Context* context;

/** Runs in the last lane that arrives, before any lane goes on. */
using Combine = void (*)(void* const* fragments);

void wait_for_block(const char* file, int line);
void wait_for_warp(Meeting meeting, Combine combine, const char* file, int line);
/** Sums `value` over the block at a barrier. */
unsigned count_in_block(bool value, const char* file, int line);
void copy_async(void* shared, const void* global, unsigned bytes, bool valid);
void copy_async_commit();
void copy_async_wait(unsigned groups_left);
[[noreturn]] void trap(const char* file, int line);

/** A number for an array of static shared memory. */
unsigned number_static_shared();
/** Where the running block has the array. */
void* static_shared(unsigned number, std::size_t bytes);

void combine_mma_f16(void* const* fragments);
void combine_mma_bf16(void* const* fragments);
void combine_load_matrix(void* const* fragments);

struct MmaFragment {
  float* d;
  const unsigned *a, *b;
};

struct LoadMatrixFragment {
  unsigned* d;
  const void* row;
  unsigned matrices;
  bool transposed;
};

inline void meet(void* fragment, Meeting meeting, Combine combine, const char* file, int line) {
  Warp* const w = context->warp;
  w->fragments[w->generation & 1][context->lane] = fragment;
  wait_for_warp(meeting, combine, file, line);
}

/** The word of lane `source`; each lane reads its own after all have written. */
inline unsigned exchange(unsigned word, unsigned source, const char* file, int line) {
  Warp* const w = context->warp;
  unsigned* const words = w->words[w->generation & 1];
  words[context->lane] = word;
  wait_for_warp(Meeting::shuffle, nullptr, file, line);
  return words[source & (LANES - 1)];
}

inline unsigned vote(bool value, const char* file, int line) {
  Warp* const w = context->warp;
  unsigned* const words = w->words[w->generation & 1];
  words[context->lane] = value;
  wait_for_warp(Meeting::vote, nullptr, file, line);
  unsigned ballot = 0;
  for (unsigned i = 0; i < LANES; i++) ballot |= words[i] << i;
  return ballot;
}

template <class To, class From>
inline To bits(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

inline float f16_bits_to_f32(unsigned half) {
  const unsigned magnitude = half & 0x7fffu;
  float value = bits<float>(magnitude << 13) * 0x1p112f;
  if (magnitude >= 0x7c00u) value = bits<float>(0x7f800000u | (magnitude & 0x3ffu) << 13);
  return bits<float>(bits<unsigned>(value) | (half & 0x8000u) << 16);
}

}  // namespace stand_in

// Where a waiting function was called: the default arguments are evaluated at the call.
#define STAND_IN_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

// ---- CUDA's own functions ----

inline void __syncthreads(STAND_IN_PLACE) { stand_in::wait_for_block(file, line); }
inline int __syncthreads_count(int value, STAND_IN_PLACE) { return stand_in::count_in_block(value != 0, file, line); }
inline int __syncthreads_or(int value, STAND_IN_PLACE) { return stand_in::count_in_block(value != 0, file, line) != 0; }
inline int __syncthreads_and(int value, STAND_IN_PLACE) {
  return stand_in::count_in_block(value == 0, file, line) == 0;
}
inline void __syncwarp(STAND_IN_PLACE) {
  stand_in::wait_for_warp(stand_in::Meeting::barrier, nullptr, file, line);
}
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __trap(STAND_IN_PLACE) { stand_in::trap(file, line); }

inline unsigned __float_as_uint(float x) { return stand_in::bits<unsigned>(x); }
inline int __float_as_int(float x) { return stand_in::bits<int>(x); }
inline float __uint_as_float(unsigned x) { return stand_in::bits<float>(x); }
inline float __int_as_float(int x) { return stand_in::bits<float>(x); }
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyintf(x)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((std::uint64_t{a} * b) >> 32); }

inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }

template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline void __stcs(T* p, T value) { *p = value; }

// Atomic operations on integers only: the order of float additions would decide the bits.
inline unsigned atomicAdd(unsigned* p, unsigned v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }
inline int atomicAdd(int* p, int v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }
inline unsigned atomicOr(unsigned* p, unsigned v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
inline unsigned atomicExch(unsigned* p, unsigned v) { return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); }
template <class T> T atomicAdd(T*, T) = delete;

// ---- `kernels/portable.cuh` ----

#define DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(stand_in::context->dynamic_shared)
#define STATIC_SHARED(T, name, count)                                     \
  static const unsigned name##_number = stand_in::number_static_shared(); \
  T(&name)[count] = *static_cast<T(*)[count]>(stand_in::static_shared(name##_number, sizeof(T[count])))

inline float fma_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float add_rn(float a, float b) { return a + b; }
inline float sub_rn(float a, float b) { return a - b; }
inline float mul_rn(float a, float b) { return a * b; }
inline float div_rn(float a, float b) { return a / b; }
inline float sqrt_rn(float x) { return __builtin_sqrtf(x); }

inline float exp2_approx(float x) { return x < -126.0f ? 0.0f : __builtin_exp2f(x); }
inline float log2_approx(float x) { return __builtin_log2f(x); }
inline float reciprocal_approx(float x) { return 1.0f / x; }
inline float rsqrt_approx(float x) { return 1.0f / __builtin_sqrtf(x); }

template <class T> inline T shuffle(T value, int source, STAND_IN_PLACE) {
  return stand_in::bits<T>(stand_in::exchange(stand_in::bits<unsigned>(value), source, file, line));
}
template <class T> inline T shuffle_xor(T value, int mask, STAND_IN_PLACE) {
  return shuffle(value, static_cast<int>(stand_in::context->lane) ^ mask, file, line);
}
template <class T> inline T shuffle_down(T value, int offset, STAND_IN_PLACE) {
  const int own = static_cast<int>(stand_in::context->lane), source = own + offset;
  return shuffle(value, source < warpSize ? source : own, file, line);
}
template <class T> inline T shuffle_up(T value, int offset, STAND_IN_PLACE) {
  const int own = static_cast<int>(stand_in::context->lane), source = own - offset;
  return shuffle(value, source >= 0 ? source : own, file, line);
}

inline unsigned warp_ballot(bool value, STAND_IN_PLACE) { return stand_in::vote(value, file, line); }
inline bool warp_any(bool value, STAND_IN_PLACE) { return stand_in::vote(value, file, line) != 0; }
inline bool warp_all(bool value, STAND_IN_PLACE) { return stand_in::vote(value, file, line) == 0xffffffffu; }

inline unsigned short f32_to_f16(float value) {
  const unsigned word = __float_as_uint(value), sign = word >> 16 & 0x8000u, magnitude = word & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fff;
  if (magnitude >= 0x477ff000u) return static_cast<unsigned short>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {  // subnormal: adding one half of the last place's weight rounds to even
    const float shifted = __uint_as_float(magnitude) + 0.5f;
    return static_cast<unsigned short>(sign | (__float_as_uint(shifted) - 0x3f000000u));
  }
  const unsigned rounded = magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1);
  return static_cast<unsigned short>(sign | rounded >> 13);
}
inline unsigned short f32_to_bf16(float value) {
  const unsigned word = __float_as_uint(value);
  if ((word & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return static_cast<unsigned short>((word + 0x7fffu + (word >> 16 & 1)) >> 16);
}
inline float f16_to_f32(unsigned short half) { return stand_in::f16_bits_to_f32(half); }
inline float bf16_to_f32(unsigned short half) { return __uint_as_float(unsigned{half} << 16); }
inline unsigned pack_f16(float lo, float hi) { return f32_to_f16(lo) | unsigned{f32_to_f16(hi)} << 16; }
inline unsigned pack_bf16(float lo, float hi) { return f32_to_bf16(lo) | unsigned{f32_to_bf16(hi)} << 16; }
inline void unpack_f16(unsigned pair, float& lo, float& hi) {
  lo = stand_in::f16_bits_to_f32(pair & 0xffffu);
  hi = stand_in::f16_bits_to_f32(pair >> 16);
}
inline void unpack_bf16(unsigned pair, float& lo, float& hi) {
  lo = __uint_as_float(pair << 16);
  hi = __uint_as_float(pair & 0xffff0000u);
}

inline void mma_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], STAND_IN_PLACE) {
  stand_in::MmaFragment fragment{d, a, b};
  stand_in::meet(&fragment, stand_in::Meeting::mma, stand_in::combine_mma_f16, file, line);
}
inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], STAND_IN_PLACE) {
  stand_in::MmaFragment fragment{d, a, b};
  stand_in::meet(&fragment, stand_in::Meeting::mma, stand_in::combine_mma_bf16, file, line);
}

inline void load_matrix_x4(unsigned (&d)[4], const void* row, STAND_IN_PLACE) {
  stand_in::LoadMatrixFragment fragment{d, row, 4, false};
  stand_in::meet(&fragment, stand_in::Meeting::load_matrix, stand_in::combine_load_matrix, file, line);
}
inline void load_matrix_x4_transposed(unsigned (&d)[4], const void* row, STAND_IN_PLACE) {
  stand_in::LoadMatrixFragment fragment{d, row, 4, true};
  stand_in::meet(&fragment, stand_in::Meeting::load_matrix, stand_in::combine_load_matrix, file, line);
}
inline void load_matrix_x2(unsigned (&d)[2], const void* row, STAND_IN_PLACE) {
  stand_in::LoadMatrixFragment fragment{d, row, 2, false};
  stand_in::meet(&fragment, stand_in::Meeting::load_matrix, stand_in::combine_load_matrix, file, line);
}
inline void load_matrix_x2_transposed(unsigned (&d)[2], const void* row, STAND_IN_PLACE) {
  stand_in::LoadMatrixFragment fragment{d, row, 2, true};
  stand_in::meet(&fragment, stand_in::Meeting::load_matrix, stand_in::combine_load_matrix, file, line);
}

inline void copy_async_16(void* shared, const void* global, bool valid = true) {
  stand_in::copy_async(shared, global, 16, valid);
}
inline void copy_async_4(void* shared, const void* global, bool valid = true) {
  stand_in::copy_async(shared, global, 4, valid);
}
inline void copy_async_commit() { stand_in::copy_async_commit(); }
template <int groups_left> inline void copy_async_wait() { stand_in::copy_async_wait(groups_left); }

// ---- How the stand-in finds and calls a kernel ----

namespace stand_in {

struct Kernel {
  /** digest of the source it belongs to */
  const char* unit;
  const char* name;
  /** one letter a parameter, as in `kernel_source.ts` */
  const char* signature;
  /** of `__launch_bounds__`; 0: none given */
  unsigned max_threads;
  void (*run)(void* const* arguments);
};

void register_kernels(const Kernel* kernels, unsigned count);

/** The letter by which `kernel_declarations.ts` knows a parameter's type. */
template <class T> constexpr char letter() {
  if (std::is_pointer_v<T>) return 'p';
  if (std::is_same_v<T, float>) return 'f';
  if (std::is_unsigned_v<T> && sizeof(T) == 8) return 'l';
  return std::is_same_v<T, unsigned> ? 'u' : std::is_same_v<T, int> ? 'i' : '?';
}

template <auto kernel> struct Invoke;
template <class... Parameters, void (*kernel)(Parameters...)> struct Invoke<kernel> {
  static constexpr bool has_signature(const char* signature) {
    constexpr char letters[] = {letter<Parameters>()..., '\0'};
    for (unsigned i = 0; i <= sizeof...(Parameters); i++) {
      if (letters[i] != signature[i]) return false;
    }
    return true;
  }

  /** `arguments[i]` points to the value of parameter i. */
  static void run([[maybe_unused]] void* const* arguments) {
    call(arguments, std::index_sequence_for<Parameters...>{});
  }

 private:
  template <std::size_t... Index>
  static void call([[maybe_unused]] void* const* arguments, std::index_sequence<Index...>) {
    kernel(*static_cast<std::remove_const_t<Parameters>*>(arguments[Index])...);
  }
};

}  // namespace stand_in
