/*
 * cuBLASLt as three nested loops over matrices in host memory, stored by columns as the real one has them. Its only
 * algorithm is bytes 0x40 to 0x7f, and needs a workspace of 4096 bytes. FAKE_NOTHING: its heuristic finds nothing.
 * FAKE_STREAM: the only stream it knows, that of fake_driver.c, or 0 for any.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#ifndef FAKE_STREAM
#define FAKE_STREAM 0x2000
#endif

typedef struct { int compute, scale, transpose_a, transpose_b; unsigned epilogue; uint64_t bias; } Operation;
typedef struct { int type; uint64_t rows, columns; int64_t leading; } Layout;
typedef struct { uint64_t workspace; unsigned schemes, alignment[4]; } Preference;
typedef struct { unsigned char algorithm[64]; size_t workspace; int state; float waves; int reserved[4]; } Result;

enum { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };

static float half(const void *values, int64_t i) { return (float)((const _Float16 *)values)[i]; }
static float brain(const void *values, int64_t i) {
  const uint32_t bits = (uint32_t)((const uint16_t *)values)[i] << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
static float get(const void *values, int64_t i, int type) {
  return type == 0 ? ((const float *)values)[i] : type == 2 ? half(values, i) : brain(values, i);
}
static void set(void *values, int64_t i, int type, float value) {
  if (type == 0) ((float *)values)[i] = value;
  else if (type == 2) ((_Float16 *)values)[i] = (_Float16)value;
  else {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits += 0x7fff + ((bits >> 16) & 1); /* to nearest, ties to even */
    ((uint16_t *)values)[i] = (uint16_t)(bits >> 16);
  }
}

int cublasLtCreate(uint64_t *handle) { *handle = 0x9000; return SUCCESS; }
int cublasLtDestroy(uint64_t handle) { return handle == 0x9000 ? SUCCESS : INVALID_VALUE; }
size_t cublasLtGetVersion(void) { return 130402; }
const char *cublasLtGetStatusName(int status) { return status == 7 ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS_OTHER"; }

int cublasLtMatmulDescCreate(Operation **made, int compute, int scale) {
  *made = calloc(1, sizeof **made);
  **made = (Operation){compute, scale, 0, 0, 1, 0};
  return SUCCESS;
}
int cublasLtMatmulDescDestroy(Operation *operation) { free(operation); return SUCCESS; }
int cublasLtMatmulDescSetAttribute(Operation *operation, int attribute, const void *value, size_t bytes) {
  if (bytes != (attribute == 8 ? 8 : 4)) return INVALID_VALUE;
  void *const where = attribute == 3 ? (void *)&operation->transpose_a : attribute == 4 ? (void *)&operation->transpose_b
                    : attribute == 7 ? (void *)&operation->epilogue : attribute == 8 ? (void *)&operation->bias : NULL;
  if (where == NULL) return INVALID_VALUE;
  memcpy(where, value, bytes);
  return SUCCESS;
}
int cublasLtMatmulDescGetAttribute(void) { return NOT_SUPPORTED; }
int cublasLtMatrixLayoutCreate(Layout **made, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  *made = calloc(1, sizeof **made);
  **made = (Layout){type, rows, columns, leading};
  return SUCCESS;
}
int cublasLtMatrixLayoutDestroy(Layout *layout) { free(layout); return SUCCESS; }
int cublasLtMatrixLayoutGetAttribute(void) { return NOT_SUPPORTED; }
int cublasLtMatmulPreferenceCreate(Preference **made) { *made = calloc(1, sizeof **made); return SUCCESS; }
int cublasLtMatmulPreferenceDestroy(Preference *preference) { free(preference); return SUCCESS; }
int cublasLtMatmulPreferenceSetAttribute(Preference *preference, int attribute, const void *value, size_t bytes) {
  if (bytes != (attribute == 1 ? 8 : 4)) return INVALID_VALUE;
  void *const where = attribute == 1 ? (void *)&preference->workspace : attribute == 3 ? (void *)&preference->schemes
                    : attribute >= 5 && attribute <= 8 ? (void *)&preference->alignment[attribute - 5] : NULL;
  if (where == NULL) return INVALID_VALUE;
  memcpy(where, value, bytes);
  return SUCCESS;
}
int cublasLtMatmulPreferenceGetAttribute(void) { return NOT_SUPPORTED; }

static int algorithm_is_mine(const unsigned char *algorithm) {
  for (int i = 0; i < 64; i++) if (algorithm[i] != 0x40 + i) return 0;
  return 1;
}
int cublasLtMatmulAlgoGetHeuristic(uint64_t handle, const Operation *operation, const Layout *a, const Layout *b,
                                   const Layout *c, const Layout *d, const Preference *preference, int wanted,
                                   Result *results, int *found) {
  const unsigned *const alignment = preference->alignment;
  if (handle != 0x9000 || operation == NULL || a->type != b->type || c->type != d->type || wanted != 1) return INVALID_VALUE;
  if (preference->schemes != 2 || preference->workspace < 4096) return NOT_SUPPORTED;
  for (int i = 0; i < 4; i++) if (alignment[i] != 16) return INVALID_VALUE;
#ifdef FAKE_NOTHING
  *found = 0;
  (void)results;
#else
  *found = 1;
  for (int i = 0; i < 64; i++) results->algorithm[i] = 0x40 + i;
  results->workspace = 4096;
  results->state = SUCCESS;
#endif
  return SUCCESS;
}
int cublasLtMatmulAlgoCheck(uint64_t handle, const Operation *operation, const Layout *a, const Layout *b,
                            const Layout *c, const Layout *d, const unsigned char *algorithm, Result *result) {
  if (handle != 0x9000 || operation == NULL || a->type != b->type || c->type != d->type) return INVALID_VALUE;
  result->workspace = 4096;
  return algorithm_is_mine(algorithm) ? SUCCESS : NOT_SUPPORTED;
}
int cublasLtMatmulAlgoConfigGetAttribute(const unsigned char *algorithm, int attribute, int *value, size_t bytes, size_t *written) {
  *value = algorithm[attribute];
  *written = bytes;
  return SUCCESS;
}
int cublasLtMatmul(uint64_t handle, const Operation *operation, const float *alpha, const void *a, const Layout *la,
                   const void *b, const Layout *lb, const float *beta, const void *c, const Layout *lc, void *d,
                   const Layout *ld, const unsigned char *algorithm, uint64_t workspace, size_t workspace_bytes, uint64_t stream) {
  const uint64_t rows = operation->transpose_a ? la->columns : la->rows;
  const uint64_t inner = operation->transpose_a ? la->rows : la->columns;
  const uint64_t columns = operation->transpose_b ? lb->rows : lb->columns;
  if (FAKE_STREAM != 0 && stream != FAKE_STREAM) return INVALID_VALUE;
  if (handle != 0x9000 || workspace == 0 || workspace_bytes < 4096 || !algorithm_is_mine(algorithm)) return INVALID_VALUE;
  if (operation->compute != 68 || operation->scale != 0 || lc->rows != ld->rows) return INVALID_VALUE;
  if ((operation->transpose_b ? lb->columns : lb->rows) != inner || ld->rows != rows || ld->columns != columns) return INVALID_VALUE;
  for (uint64_t j = 0; j < columns; j++) {
    for (uint64_t i = 0; i < rows; i++) {
      float sum = 0;
      for (uint64_t k = 0; k < inner; k++) {
        const int64_t at = operation->transpose_a ? k + i * la->leading : i + k * la->leading;
        const int64_t bt = operation->transpose_b ? j + k * lb->leading : k + j * lb->leading;
        sum += get(a, at, la->type) * get(b, bt, lb->type);
      }
      sum *= *alpha;
      if (*beta != 0) sum += *beta * get(c, i + j * lc->leading, lc->type);
      if (operation->epilogue == 4) sum += get((const void *)operation->bias, i, ld->type);
      set(d, i + j * ld->leading, ld->type, sum);
    }
  }
  return SUCCESS;
}
