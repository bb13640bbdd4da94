// One vector of W floats and what the kernels do with it, by the instruction set that the compiler is told to aim at.
// Nothing here rounds otherwise than docs/arithmetic.md says: fma once, + − × ÷ √ once each, no contraction, subnormal
// numbers kept. Freestanding: no C library, so that one file serves every system of its kind.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")


#if defined(__AVX512F__)
#include "vector_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "vector_avx2.h"
#elif defined(__aarch64__)
#include "vector_neon.h"
#else
#error "No vectors for this target: it has no fused multiply-add, or none that is known here"
#endif

enum { LANES = 32, PARTS = LANES / W }; // vectors that hold the 32 lanes of a row sum

INLINE int least(int a, int b) { return a < b ? a : b; }
INLINE int most(int a, int b) { return a > b ? a : b; }
INLINE float bits(uint32_t word) { return ((union { uint32_t word; float value; }){word}).value; }
INLINE uint32_t wordOf(float value) { return ((union { float value; uint32_t word; }){value}).word; }
