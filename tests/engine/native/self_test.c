// A program that loads a library of kernels and prints what the processor offers, then one hash a kernel over fixed
// numbers: emulated_test.ts compares the lines of other processors, which have no Deno here, with this machine's.
//   self_test LIBRARY [PREFIX]
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *memory;
static uint64_t state = 88172645463325252ull;
enum { MIB = 1 << 20 };

static float uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

static float *fill(double at, int count, float factor) {
  float *p = (float *)(memory + (size_t)at);
  for (int i = 0; i < count; i++) p[i] = uniform() * factor;
  return p;
}

static void show(const char *name, int size, double at, int count) {
  uint64_t hash = 14695981039346656037ull;
  const uint32_t *words = (const uint32_t *)(memory + (size_t)at);
  for (int i = 0; i < count; i++) {
    // A NaN is a NaN.
    uint32_t word = (words[i] & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : words[i];
    hash = (hash ^ word) * 1099511628211ull;
  }
  printf("%s %d %016llx\n", name, size, (unsigned long long)hash);
}

static void *library;
static const char *prefix;
static void *kernel(const char *name) {
  char full[64];
  snprintf(full, sizeof full, "%s_%s", prefix, name);
  void *found = dlsym(library, full);
  if (!found) fprintf(stderr, "no %s\n", full), exit(1);
  return found;
}
#define CALL(result, name, types) ((result(*) types)kernel(#name))

static void products(int m, int n, int k) {
  static const char *const names[] = {"matmulNN", "matmulNT", "matmulTN"};
  for (int which = 0; which < 3; which++) for (int fresh = 0; fresh < 2; fresh++) {
    fill(0, m * k, 1), fill(4 * MIB, n * k, 1), fill(8 * MIB, m * n, 1);
    void (*f)(char *, int, int, int, double, int, double, int, double, int, double, int, int) = kernel(names[which]);
    f(memory, m, n, k, 0, 4 * (which == 2 ? m : k), 4 * MIB, 4 * (which == 1 ? k : n), 8 * MIB, 4 * n, 16 * MIB, 0, fresh);
    show(names[which], m, 8 * MIB, m * n);
  }
}

static void attention(int T, int d) {
  void (*nt)(char *, int, int, int, double, int, double, int, double, int, double, int, int) = kernel("matmulNT");
  void (*nn)(char *, int, int, int, double, int, double, int, double, int, double, int, int) = kernel("matmulNN");
  void (*tn)(char *, int, int, int, double, int, double, int, double, int, double, int, int) = kernel("matmulTN");
  fill(0, T * d, 3), fill(4 * MIB, T * d, 3);
  float *p = (float *)(memory + 8 * MIB), *g = (float *)(memory + 24 * MIB);
  nt(memory, T, T, d, 0, 4 * d, 4 * MIB, 4 * d, 8 * MIB, 4 * T, 16 * MIB, 1, 1);
  CALL(void, causalSoftmax, (char *, double, int, int, float))(memory, 8 * MIB, T, T, 0.176776695f);
  for (int i = 0; i < T; i++) for (int j = i + 1; j < T; j++) p[i * T + j] = 0;
  show("causalSoftmax", T, 8 * MIB, T * T);
  nn(memory, T, d, T, 8 * MIB, 4 * T, 4 * MIB, 4 * d, 20 * MIB, 4 * d, 16 * MIB, 2, 1);
  show("endsAtRow", T, 20 * MIB, T * d);
  fill(24 * MIB, T * T, 1);
  CALL(void, causalSoftmaxBackward, (char *, double, double, double, double, int, int, int, int, float))
  (memory, 8 * MIB, 24 * MIB, 20 * MIB, 4 * MIB, 4 * d, T, T, d, 0.176776695f);
  for (int i = 0; i < T; i++) for (int j = i + 1; j < T; j++) g[i * T + j] = 0;
  show("causalSoftmaxBackward", T, 24 * MIB, T * T);
  tn(memory, T, d, T, 24 * MIB, 4 * T, 4 * MIB, 4 * d, 28 * MIB, 4 * d, 16 * MIB, 3, 1);
  show("startsAtRow", T, 28 * MIB, T * d);
}

static void rows(int T, int h) {
  const double M = MIB;
  fill(0, T * h, 1), fill(M, h, 1), fill(2 * M, h, 1);
  CALL(void, normalize, (char *, double, double, double, int, int, float))(memory, 0, 3 * M, 4 * M, T, h, 1e-5f);
  show("normalize", h, 3 * M, T * h), show("rstds", h, 4 * M, T);
  CALL(void, scaleAndShift, (char *, double, double, double, double, int, int))(memory, 3 * M, M, 2 * M, 5 * M, T, h);
  show("scaleAndShift", h, 5 * M, T * h);
  fill(6 * M, T * h, 1), fill(7 * M, T * h, 1);
  for (int join = 0; join < 2; join++) {
    CALL(void, scaleGradient, (char *, double, double, double, int, int, int))(memory, 6 * M, M, 7 * M, T, h, join);
    show("scaleGradient", h, 7 * M, T * h);
  }
  CALL(void, normalizeBackward, (char *, double, double, double, double, int, int))
  (memory, 7 * M, 3 * M, 4 * M, 6 * M, T, h);
  show("normalizeBackward", h, 6 * M, T * h);
  CALL(void, addColumnSums, (char *, double, double, int, int))(memory, 6 * M, M, T, h);
  show("addColumnSums", h, M, h);
  CALL(void, addColumnSumsOfProducts, (char *, double, double, double, int, int))(memory, 6 * M, 3 * M, 2 * M, T, h);
  show("addColumnSumsOfProducts", h, 2 * M, h);
  CALL(void, addBias, (char *, double, double, int, int))(memory, 5 * M, M, T, h);
  CALL(void, multiply, (char *, double, double, int))(memory, 5 * M, 6 * M, T * h);
  CALL(void, add, (char *, double, double, int))(memory, 5 * M, 7 * M, T * h);
  show("addBias, multiply, add", h, 5 * M, T * h);
  fill(8 * M, T * h, 14);
  memcpy(memory + 9 * MIB, memory + 8 * MIB, 4 * (size_t)T * h);
  CALL(void, gelu, (char *, double, double, int))(memory, 8 * M, 10 * M, T * h);
  show("gelu", h, 8 * M, T * h), show("derivative", h, 10 * M, T * h);
  CALL(void, geluForward, (char *, double, int))(memory, 9 * M, T * h);
  show("geluForward", h, 9 * M, T * h);
  fill(11 * M, T * h, 30);
  uint16_t *tokens = (uint16_t *)(memory + 12 * MIB);
  for (int i = 0; i < T; i++) tokens[i] = (uint16_t)(i * 7 % h);
  float scalars[2] = {CALL(float, crossEntropy, (char *, double, double, double, int, int, float))(
                          memory, 11 * M, 12 * M, 13 * M, T, h, 0.01f),
                      CALL(float, sumOfSquares, (char *, double, int))(memory, 5 * M, T * h)};
  memcpy(memory + 14 * MIB, scalars, sizeof scalars);
  show("crossEntropy", h, 11 * M, T * h), show("losses", h, 13 * M, T), show("scalars", h, 14 * M, 2);
  fill(15 * M, h * h, 1);
  CALL(void, gatherRows, (char *, double, double, double, int, int))(memory, 15 * M, 12 * M, 16 * M, T, h);
  CALL(void, scatterAddRows, (char *, double, double, double, int, int))(memory, 15 * M, 12 * M, 5 * M, T, h);
  show("gatherRows", h, 16 * M, T * h), show("scatterAddRows", h, 15 * M, h * h);
  float *squares = fill(17 * M, T * h, 1e-3f);
  for (int i = 0; i < T * h; i++) squares[i] *= squares[i];
  CALL(void, adamw, (char *, double, double, double, double, int, float, float, float, float, float, float, float, float, float))
  (memory, 8 * M, 9 * M, 17 * M, 5 * M, T * h, 0.7f, 0.9f, 0.1f, 0.95f, 0.05f, 1e-3f, 0.3f, 1e-8f, 0.9999f);
  show("adamw", h, 8 * M, T * h), show("moments", h, 9 * M, T * h), show("squares", h, 17 * M, T * h);
  CALL(void, fill, (char *, double, int, float))(memory, 8 * M, T * h, 0.1f);
  show("fill", h, 8 * M, T * h);
}

int main(int count, char **words) {
  library = dlopen(words[1], RTLD_NOW);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  if (count < 3) return printf("%u\n", ((uint32_t(*)(void))dlsym(library, "instructionSets"))()), 0;
  prefix = words[2];
  memory = aligned_alloc(4096, 64 * MIB);
  memset(memory, 0, 64 * MIB);
  products(70, 72, 516), products(2, 8, 4), products(30, 104, 260), products(268, 40, 8);
  attention(40, 8), attention(136, 32);
  for (int h = 8; h <= 136; h += 4) rows(70, h);
  float *qkv = fill(0, 64 * 4 * 3 * 32, 1);
  fill(MIB, 64 * 6, 1), fill(2 * MIB, 64 * 6, 1);
  CALL(void, rotate, (char *, double, double, double, int, int, int, int, float))(memory, 0, MIB, 2 * MIB, 64, 4, 32, 6, -1);
  (void)qkv;
  show("rotate", 32, 0, 64 * 4 * 3 * 32);
  return 0;
}
