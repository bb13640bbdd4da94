// How kernels walk along a row of n floats: vector by vector, the last of them in part.
#pragma once
#include "vector.h"

/** Runs its body for every vector of a row, `i` its first element: GET and PUT are whole vectors but for the last. */
#define EACH_VECTOR(n, ...)                       \
  do {                                            \
    int i = 0;                                    \
    {                                             \
      enum { WHOLE = 1 };                         \
      const int count = W;                        \
      for (; i + W <= (n); i += W) { __VA_ARGS__ } \
      (void)count;                                \
    }                                             \
    {                                             \
      enum { WHOLE = 0 };                         \
      const int count = (n) - i;                  \
      if (count > 0) { __VA_ARGS__ }              \
    }                                             \
  } while (0)

/** The same in the order of the 32 lanes: `part` is the vector's place among them. */
#define EACH_PART(n, ...)                                              \
  do {                                                                 \
    int first = 0;                                                     \
    {                                                                  \
      enum { WHOLE = 1 };                                              \
      const int count = W;                                             \
      for (; first + LANES <= (n); first += LANES)                     \
        UNROLL for (int part = 0; part < PARTS; part++) {              \
          const int i = first + part * W;                              \
          __VA_ARGS__                                                  \
        }                                                              \
      (void)count;                                                     \
    }                                                                  \
    {                                                                  \
      enum { WHOLE = 0 };                                              \
      UNROLL for (int part = 0; part < PARTS; part++) {                \
        const int i = first + part * W, count = least(W, (n) - i);     \
        if (count > 0) { __VA_ARGS__ }                                 \
      }                                                                \
    }                                                                  \
  } while (0)

#define GET(p) (WHOLE ? load(p) : loadPart(p, count))
#define PUT(p, x) (WHOLE ? store(p, x) : storePart(p, x, count))

/** Sums by lanes, all +0. */
#define START_LANES(s) \
  vec s[PARTS];        \
  UNROLL for (int part = 0; part < PARTS; part++) s[part] = splat(0)

/** Σ x[i] over n elements by 32 lanes. */
INLINE float sumRow(const float *x, int n) {
  START_LANES(s);
  EACH_PART(n, s[part] = s[part] + GET(x + i););
  return combineLanes(s);
}

/** Σ x[i] · y[i], each product joined by fma. */
INLINE float dotRow(const float *x, const float *y, int n) {
  START_LANES(s);
  EACH_PART(n, s[part] = fma(GET(x + i), GET(y + i), s[part]););
  return combineLanes(s);
}

/** Σ (x[i] − mean)², each square joined by fma; lanes without an element add nothing. */
INLINE float sumOfSquaredDeviations(const float *x, float mean, int n) {
  START_LANES(s);
  const vec center = splat(mean);
  EACH_PART(n, {
    const vec deviation = GET(x + i) - (WHOLE ? center : keep(center, count, splat(0)));
    s[part] = fma(deviation, deviation, s[part]);
  });
  return combineLanes(s);
}

/** Largest element. A NaN may be passed over: whoever asks takes exp(x − largest) of every element, and meets it there. */
INLINE float largestOf(const float *x, int n) {
  const vec lowest = splat(-__builtin_inff());
  vec s[PARTS];
  UNROLL for (int part = 0; part < PARTS; part++) s[part] = lowest;
  EACH_PART(n, s[part] = larger(s[part], WHOLE ? load(x + i) : keep(loadPart(x + i, count), count, lowest)););
  vec top = s[0];
  UNROLL for (int part = 1; part < PARTS; part++) top = larger(top, s[part]);
  return largestLane(top);
}

/** y[i] += x[i] over n elements. */
INLINE void addRow(float *y, const float *x, int n) {
  EACH_VECTOR(n, PUT(y + i, GET(y + i) + GET(x + i)););
}
