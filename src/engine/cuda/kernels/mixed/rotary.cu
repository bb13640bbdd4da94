/**
 * Bias of the fused projection and rotary position embedding, in place on queries, keys and values (R, heads, 3,
 * HEAD_SIZE). Of each query and key the pairs (i, i + ROTARY_HALF), i < ROTARY_HALF, turn by the angle of their position:
 * (a, b) -> (a * cos - b * sin, b * cos + a * sin). Tables (T, ROTARY_HALF) f32.
 *
 * A thread has one unit of a piece of rows: 8 neighbouring columns or, where a pair lies 8 or more columns apart, both
 * vectors of 8 that turn together. Blocks along x cover the columns, along y the pieces.
 */
#include "number16.cuh"

static_assert(HEAD_SIZE % 8 == 0, "a head is made of vectors of 8");
static_assert(ROTARY_HALF <= 4 || ROTARY_HALF % 8 == 0, "a vector is rotated in itself or with one other");
static_assert(2 * ROTARY_HALF <= HEAD_SIZE, "not more is rotated than there is");

/** Rows whose column sums form one chain. */
constexpr unsigned ROTARY_PIECE = 32;
/** Vectors between the two of a pair; 0 if pairs lie within a vector. */
constexpr unsigned PAIR_VECTORS = ROTARY_HALF / 8;

/** What a thread's 8 columns are to the rotation. */
struct RotaryPlace {
  unsigned column, part, vector;
  /** whether this thread rotates, and whether another one handles its columns */
  bool rotates, is_second;
  __device__ __forceinline__ RotaryPlace(unsigned column) : column(column) {
    const unsigned within = column / HEAD_SIZE;
    part = within % 3;
    vector = column % HEAD_SIZE / 8;
    if constexpr (PAIR_VECTORS == 0) {
      rotates = part < 2 && vector == 0;
      is_second = false;
    } else {
      rotates = part < 2 && vector < PAIR_VECTORS;
      is_second = part < 2 && vector >= PAIR_VECTORS && vector < 2 * PAIR_VECTORS;
    }
  }
};

/** direction: 1 forward, -1 backward */
__device__ __forceinline__ void rotate_pair(float& a, float& b, float cosine, float sine) {
  const float rotated = a * cosine - b * sine;
  b = b * cosine + a * sine;
  a = rotated;
}

/** Turns x, and y with it where a pair spans two vectors. cosines, sines: of this position and first pair. */
__device__ __forceinline__ void rotate_vectors(float (&x)[8], float (&y)[8], const float* cosines, const float* sines,
                                               float direction) {
  if constexpr (PAIR_VECTORS == 0) {
#pragma unroll
    for (int i = 0; i < ROTARY_HALF; i++) {
      rotate_pair(x[i], x[(i + ROTARY_HALF) % 8], cosines[i], direction * sines[i]);
    }
  } else {
    float cosine[8], sine[8];
    load_8(cosines, cosine);
    load_8(sines, sine);
    for (int i = 0; i < 8; i++) rotate_pair(x[i], y[i], cosine[i], direction * sine[i]);
  }
}

/** Adds the bias (3h) and turns queries and keys. Bytes a row: 6h read, 6h written. */
extern "C" __global__ void bias_rotary(unsigned short* query_key_value, const float* bias, const float* cosines,
                                       const float* sines, unsigned rows, unsigned width, unsigned sequence_length) {
  const RotaryPlace place((blockIdx.x * blockDim.x + threadIdx.x) * 8);
  if (place.column >= width || place.is_second) return;
  const bool has_second = place.rotates && PAIR_VECTORS > 0;
  float offset[8], second_offset[8], x[8], y[8];
  load_8(bias + place.column, offset);
  if (has_second) load_8(bias + place.column + 8 * PAIR_VECTORS, second_offset);
  const unsigned first = blockIdx.y * ROTARY_PIECE, last = min(first + ROTARY_PIECE, rows);
  for (unsigned row = first; row < last; row++) {
    number16* const at = query_key_value + static_cast<size_t>(row) * width + place.column;
    load_8(at, x);
    for (int i = 0; i < 8; i++) x[i] += offset[i];
    if (has_second) {
      load_8(at + 8 * PAIR_VECTORS, y);
      for (int i = 0; i < 8; i++) y[i] += second_offset[i];
    }
    if (place.rotates) {
      const unsigned angle = row % sequence_length * ROTARY_HALF + place.vector * 8;
      rotate_vectors(x, y, cosines + angle, sines + angle, 1.0f);
    }
    store_8(at, x);
    if (has_second) store_8(at + 8 * PAIR_VECTORS, y);
  }
}

/**
 * Turns the gradient of queries and keys back; `sums` (pieces, 3h): its column sums, the gradient of the bias.
 * Bytes a row: 6h read, and what is rotated written.
 */
extern "C" __global__ void bias_rotary_backward(unsigned short* gradient, const float* cosines, const float* sines,
                                                float* sums, unsigned rows, unsigned width, unsigned sequence_length) {
  const RotaryPlace place((blockIdx.x * blockDim.x + threadIdx.x) * 8);
  if (place.column >= width || place.is_second) return;
  const bool has_second = place.rotates && PAIR_VECTORS > 0;
  float x[8], y[8], sum[8] = {}, second_sum[8] = {};
  const unsigned first = blockIdx.y * ROTARY_PIECE, last = min(first + ROTARY_PIECE, rows);
  for (unsigned row = first; row < last; row++) {
    number16* const at = gradient + static_cast<size_t>(row) * width + place.column;
    load_8(at, x);
    if (has_second) load_8(at + 8 * PAIR_VECTORS, y);
    if (place.rotates) {
      const unsigned angle = row % sequence_length * ROTARY_HALF + place.vector * 8;
      rotate_vectors(x, y, cosines + angle, sines + angle, -1.0f);
      store_8(at, x);
      if (has_second) store_8(at + 8 * PAIR_VECTORS, y);
    }
    for (int i = 0; i < 8; i++) sum[i] += x[i];
    if (has_second) {
      for (int i = 0; i < 8; i++) second_sum[i] += y[i];
    }
  }
  float* const target = sums + static_cast<size_t>(blockIdx.y) * width + place.column;
  store_8(target, sum);
  if (has_second) store_8(target + 8 * PAIR_VECTORS, second_sum);
}
