// The exact engine's kernels for one instruction set: the functions of src/engine/exact/kernels/, the same bits, wider
// vectors. Compiled once for each set, with PREFIX before every name. Addresses are byte offsets from `memory`, handed
// over as doubles, which Deno's fast calls take without conversion. Shapes and orders of accumulation stand at each
// kernel's source in AssemblyScript and in docs/arithmetic.md.
#include "elementary.h"
#include "matmul.h"

#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#ifdef _WIN32
#define EXPORT(type, name) __declspec(dllexport) type NAME(PREFIX, name)
#else
#define EXPORT(type, name) __attribute__((visibility("default"))) type NAME(PREFIX, name)
#endif

typedef double Address;
typedef char *Memory;
#define FLOATS(address) ((float *)(memory + (uint64_t)(address)))
#define TOKENS(address) ((const uint16_t *)(memory + (uint64_t)(address)))

// ---- Matrix products

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

// ---- LayerNorm

EXPORT(void, normalize)
(Memory memory, Address xs, Address ys, Address rstdsAt, int32_t rows, int32_t width, float epsilon) {
  const float *x = FLOATS(xs);
  float *y = FLOATS(ys), *rstds = FLOATS(rstdsAt);
  for (int row = 0; row < rows; row++, x += width, y += width) {
    const float mean = sumRow(x, width) / (float)width;
    const float variance = sumOfSquaredDeviations(x, mean, width) / (float)width;
    rstds[row] = 1.0f / scalarRoot(variance + epsilon);
    const vec center = splat(mean), rstd = splat(rstds[row]);
    EACH_VECTOR(width, PUT(y + i, (GET(x + i) - center) * rstd););
  }
}

EXPORT(void, scaleAndShift)
(Memory memory, Address xs, Address gammas, Address betas, Address ys, int32_t rows, int32_t width) {
  const float *x = FLOATS(xs), *gamma = FLOATS(gammas), *beta = FLOATS(betas);
  float *y = FLOATS(ys);
  for (int row = 0; row < rows; row++, x += width, y += width)
    EACH_VECTOR(width, PUT(y + i, fma(GET(x + i), GET(gamma + i), GET(beta + i))););
}

EXPORT(void, scaleGradient)
(Memory memory, Address dys, Address gammas, Address ds, int32_t rows, int32_t width, int32_t join) {
  const float *dy = FLOATS(dys), *gamma = FLOATS(gammas);
  float *d = FLOATS(ds);
  for (int row = 0; row < rows; row++, dy += width, d += width) {
    if (join) EACH_VECTOR(width, PUT(d + i, fma(GET(dy + i), GET(gamma + i), GET(d + i))););
    else EACH_VECTOR(width, PUT(d + i, GET(dy + i) * GET(gamma + i)););
  }
}

EXPORT(void, normalizeBackward)
(Memory memory, Address ds, Address xs, Address rstdsAt, Address dxs, int32_t rows, int32_t width) {
  const float *d = FLOATS(ds), *x = FLOATS(xs), *rstds = FLOATS(rstdsAt);
  float *dx = FLOATS(dxs);
  for (int row = 0; row < rows; row++, d += width, x += width, dx += width) {
    const vec mean = splat(sumRow(d, width) / (float)width);
    const vec projection = splat(dotRow(d, x, width) / (float)width);
    const vec rstd = splat(rstds[row]);
    EACH_VECTOR(width, {
      const vec inner = fma(-GET(x + i), projection, GET(d + i) - mean);
      PUT(dx + i, fma(rstd, inner, GET(dx + i)));
    });
  }
}

// ---- GELU

INLINE vec geluOf(vec x, vec *derivative) {
  const vec u = absolute(x), e = expOfNegative((u * u) * splat(-0.5f)), tail = e * normalTail(u);
  const vec distribution = choose(less(x, splat(0)), tail, splat(1) - tail);
  *derivative = fma(x, e * CONSTANT(0x3ecc422a), distribution); // 1 / √(2π)
  return x * distribution;
}

EXPORT(void, gelu)(Memory memory, Address xs, Address derivatives, int32_t n) {
  float *x = FLOATS(xs), *derivative = FLOATS(derivatives);
  EACH_VECTOR(n, {
    vec slope;
    const vec y = geluOf(GET(x + i), &slope);
    PUT(derivative + i, slope);
    PUT(x + i, y);
  });
}

EXPORT(void, geluForward)(Memory memory, Address xs, int32_t n) {
  float *x = FLOATS(xs);
  EACH_VECTOR(n, {
    vec unused;
    PUT(x + i, geluOf(GET(x + i), &unused));
  });
}

// ---- Attention

EXPORT(void, rotate)
(Memory memory, Address qkv, Address cosinesAt, Address sinesAt, int32_t rows, int32_t heads, int32_t headSize,
 int32_t half, float sign) {
  float *x = FLOATS(qkv);
  const float *cosines = FLOATS(cosinesAt), *sines = FLOATS(sinesAt);
  for (int row = 0; row < rows; row++, cosines += half, sines += half)
    for (int head = 0; head < heads; head++, x += headSize) // values are not rotated
      for (int part = 0; part < 2; part++, x += headSize)
        EACH_VECTOR(half, {
          const vec a = GET(x + i), b = GET(x + i + half), cosine = GET(cosines + i);
          const vec sine = GET(sines + i) * splat(sign);
          PUT(x + i, fma(a, cosine, -(b * sine)));
          PUT(x + i + half, fma(b, cosine, a * sine));
        });
}

EXPORT(void, causalSoftmax)(Memory memory, Address scores, int32_t rows, int32_t columns, float scale) {
  float *z = FLOATS(scores);
  const vec factor = splat(scale), lowest = splat(-__builtin_inff());
  for (int row = 0; row < rows; row++, z += columns) {
    const int n = row + 1, end = least(columns, n + MARGIN);
    vec top = lowest;
    EACH_VECTOR(n, {
      const vec scaled = GET(z + i) * factor;
      PUT(z + i, scaled);
      top = larger(top, WHOLE ? scaled : keep(scaled, count, lowest));
    });
    const vec total = splat(exponentiateRow(z, n, largestLane(top)));
    EACH_VECTOR(n, PUT(z + i, GET(z + i) / total););
    for (int j = n; j < end; j++) z[j] = 0;
  }
}

EXPORT(void, causalSoftmaxBackward)
(Memory memory, Address probabilities, Address gradients, Address outputs, Address outputGradients, int32_t rowBytes,
 int32_t rows, int32_t columns, int32_t headSize, float scale) {
  const float *p = FLOATS(probabilities), *output = FLOATS(outputs), *outputGradient = FLOATS(outputGradients);
  float *g = FLOATS(gradients);
  const vec factor = splat(scale);
  const size_t stride = (size_t)rowBytes / 4;
  for (int row = 0; row < rows; row++, p += columns, g += columns, output += stride, outputGradient += stride) {
    const int n = row + 1, end = least(columns, n + MARGIN);
    const vec mean = splat(dotRow(outputGradient, output, headSize));
    EACH_VECTOR(n, PUT(g + i, (GET(p + i) * (GET(g + i) - mean)) * factor););
    for (int j = n; j < end; j++) g[j] = 0;
  }
}

// ---- Cross-entropy

EXPORT(float, crossEntropy)
(Memory memory, Address logits, Address targetsAt, Address lossesAt, int32_t rows, int32_t width, float weight) {
  float *z = FLOATS(logits), *losses = FLOATS(lossesAt);
  const uint16_t *targets = TOKENS(targetsAt);
  for (int row = 0; row < rows; row++, z += width) {
    float *target = z + targets[row];
    const float top = largestOf(z, width), margin = *target - top;
    const float total = exponentiateRow(z, width, top);
    losses[row] = logOfAtLeastOne(total) - margin;
    if (!(weight > 0)) continue;
    const vec divisor = splat(total), factor = splat(weight);
    const float hit = (*target / total - 1.0f) * weight;
    EACH_VECTOR(width, PUT(z + i, (GET(z + i) / divisor) * factor););
    *target = hit;
  }
  return sumRow(losses, rows);
}

// ---- Embedding rows, biases, residual sums, column sums and other passes over memory

EXPORT(void, gatherRows)(Memory memory, Address table, Address tokensAt, Address xs, int32_t rows, int32_t width) {
  const uint16_t *tokens = TOKENS(tokensAt);
  float *x = FLOATS(xs);
  for (int row = 0; row < rows; row++, x += width) {
    const float *from = FLOATS(table) + (size_t)tokens[row] * width;
    EACH_VECTOR(width, PUT(x + i, GET(from + i)););
  }
}

EXPORT(void, scatterAddRows)(Memory memory, Address table, Address tokensAt, Address dxs, int32_t rows, int32_t width) {
  const uint16_t *tokens = TOKENS(tokensAt);
  const float *dx = FLOATS(dxs);
  for (int row = 0; row < rows; row++, dx += width) addRow(FLOATS(table) + (size_t)tokens[row] * width, dx, width);
}

EXPORT(void, add)(Memory memory, Address ys, Address xs, int32_t n) { addRow(FLOATS(ys), FLOATS(xs), n); }

EXPORT(void, multiply)(Memory memory, Address ys, Address xs, int32_t n) {
  float *y = FLOATS(ys);
  const float *x = FLOATS(xs);
  EACH_VECTOR(n, PUT(y + i, GET(y + i) * GET(x + i)););
}

EXPORT(void, addBias)(Memory memory, Address ys, Address bias, int32_t rows, int32_t width) {
  float *y = FLOATS(ys);
  for (int row = 0; row < rows; row++, y += width) addRow(y, FLOATS(bias), width);
}

enum { COLUMN_PIECE = 64 }; // tokens in a piece of a column sum

/** Column sums of one piece of rows, `vectors` side by side, joined to `sums`. */
INLINE void addPiece(const float *dy, const float *x, float *sums, int rows, int width, const int vectors,
                     const int products, int count) {
  vec s[4];
  UNROLL for (int v = 0; v < vectors; v++) s[v] = splat(0);
  for (int row = 0; row < rows; row++) UNROLL for (int v = 0; v < vectors; v++) {
    const size_t at = (size_t)row * width + v * W;
    vec term = count == W ? load(dy + at) : loadPart(dy + at, count);
    if (products) term = term * (count == W ? load(x + at) : loadPart(x + at, count));
    s[v] = s[v] + term;
  }
  UNROLL for (int v = 0; v < vectors; v++) {
    if (count == W) store(sums + v * W, load(sums + v * W) + s[v]);
    else storePart(sums + v * W, loadPart(sums + v * W, count) + s[v], count);
  }
}

INLINE void addColumns(const float *dy, const float *x, float *sums, int rows, int width, const int products) {
  for (int first = 0; first < rows; first += COLUMN_PIECE) {
    const int piece = least(COLUMN_PIECE, rows - first);
    const size_t at = (size_t)first * width;
    int j = 0;
    for (; j + 4 * W <= width; j += 4 * W) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 4, products, W);
    for (; j + W <= width; j += W) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 1, products, W);
    if (j < width) addPiece(dy + at + j, x + at + j, sums + j, piece, width, 1, products, width - j);
  }
}

EXPORT(void, addColumnSums)(Memory memory, Address dy, Address sums, int32_t rows, int32_t width) {
  addColumns(FLOATS(dy), FLOATS(dy), FLOATS(sums), rows, width, 0);
}

EXPORT(void, addColumnSumsOfProducts)
(Memory memory, Address dy, Address x, Address sums, int32_t rows, int32_t width) {
  addColumns(FLOATS(dy), FLOATS(x), FLOATS(sums), rows, width, 1);
}

EXPORT(void, fill)(Memory memory, Address ys, int32_t n, float value) {
  float *y = FLOATS(ys);
  const vec x = splat(value);
  EACH_VECTOR(n, PUT(y + i, x););
}

// ---- The optimizer

EXPORT(float, sumOfSquares)(Memory memory, Address g, int32_t n) { return dotRow(FLOATS(g), FLOATS(g), n); }

EXPORT(void, adamw)
(Memory memory, Address weights, Address firstMoments, Address secondMoments, Address gradients, int32_t n, float clip,
 float beta1, float oneMinusBeta1, float beta2, float oneMinusBeta2, float stepSize, float rootCorrection2,
 float epsilon, float decay) {
  float *w = FLOATS(weights), *m = FLOATS(firstMoments), *v = FLOATS(secondMoments);
  const float *g = FLOATS(gradients);
  EACH_VECTOR(n, {
    const vec gradient = GET(g + i) * splat(clip);
    const vec first = fma(splat(beta1), GET(m + i), splat(oneMinusBeta1) * gradient);
    const vec second = fma(splat(beta2), GET(v + i), (splat(oneMinusBeta2) * gradient) * gradient);
    const vec denominator = squareRoot(second) / splat(rootCorrection2) + splat(epsilon);
    PUT(m + i, first);
    PUT(v + i, second);
    PUT(w + i, fma(splat(-stepSize), first / denominator, GET(w + i) * splat(decay)));
  });
}

EXPORT(float, fmaProbe)(float a, float b, float c) {
  float lanes[W];
  store(lanes, fma(splat(a), splat(b), splat(c)));
  return lanes[0];
}
