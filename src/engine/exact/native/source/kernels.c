// The exact engine's kernels for one instruction set: the functions of src/engine/exact/kernels/, the same bits, wider
// vectors. Compiled once for each set, with PREFIX before every name. Shapes and orders of accumulation stand at each
// kernel's source in AssemblyScript and in docs/arithmetic.md.
#include "api.h"
#include "matmul.h"

#define MATMUL(name, transposedA, transposedB)                                                                       \
  EXPORT(void, name)                                                                                                 \
  (Memory memory, int32_t m, int32_t n, int32_t k, Address a, int32_t lda, Address b, int32_t ldb, Address c,        \
   int32_t ldc, Address scratch, int32_t shape, int32_t fresh) {                                                     \
    multiplyMatrices(m, n, k, FLOATS(a), (size_t)lda / 4, transposedA, FLOATS(b), (size_t)ldb / 4, transposedB, FLOATS(c),   \
             (size_t)ldc / 4, FLOATS(scratch), shape, fresh);                                                        \
  }
MATMUL(matmulNN, 0, 0)
MATMUL(matmulNT, 0, 1)
MATMUL(matmulTN, 1, 0)

#include "layer_norm.h"
#include "gelu.h"
#include "attention.h"
#include "cross_entropy.h"
#include "elementwise.h"
#include "adamw.h"

/** fma in one lane: kernels.ts asks whether it rounds once. */
EXPORT(float, fmaProbe)(float a, float b, float c) {
  float lanes[W];
  store(lanes, fma(splat(a), splat(b), splat(c)));
  return lanes[0];
}
