// What the processor can do and its operating system lets it: asked at run time, for the baseline of its family, so that
// this runs everywhere that the library loads.
#include <stdint.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
int _DllMainCRTStartup(void *module, uint32_t reason, void *reserved) {
  (void)module, (void)reason, (void)reserved;
  return 1;
}
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/** Bits of the answer; INSTRUCTION_SETS in instruction_sets.ts. */
enum { AVX2 = 1, AVX512 = 2, NEON = 4 };

#if defined(__x86_64__)
typedef struct {
  uint32_t a, b, c, d;
} Registers;

static Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
  return r;
}

/** Register states that the operating system saves when it switches threads: XCR0. */
static uint32_t savedStates(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int hasAll(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

EXPORT uint32_t instructionSets(void) {
  const uint32_t fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
  const uint32_t avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; // F, DQ, BW, VL
  const uint32_t ymm = 1u << 1 | 1u << 2, zmm = ymm | 1u << 5 | 1u << 6 | 1u << 7;
  if (cpuid(0, 0).a < 7 || !hasAll(cpuid(1, 0).c, fma | osxsave | avx)) return 0;
  const uint32_t states = savedStates(), features = cpuid(7, 0).b;
  if (!hasAll(states, ymm) || !hasAll(features, avx2)) return 0;
  return hasAll(states, zmm) && hasAll(features, avx512) ? AVX2 | AVX512 : AVX2;
}
#else
EXPORT uint32_t instructionSets(void) { return NEON; }
#endif
