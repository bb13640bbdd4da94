/**
 * LayerNorm of GPT-NeoX's parallel residual: both norms of a layer normalise the same row, with gains and shifts of their
 * own, so that statistics and x^ are shared. Rows R of h columns, h a multiple of 8, at most 8192.
 *
 * Both outputs of a layer join the residual stream without their biases; `carried` (h) holds the sum of all of those of
 * the layers below, and every LayerNorm adds it on reading. So the biases cost no pass over the stream.
 *
 * Threads: 8 neighbouring columns a lane, `warps_per_row` = ceil(h / 256) warps a row, several rows a block.
 * Sums: row_sum.cuh; column sums in two stages, here chains of NORM_PIECE rows (column_sum.cu joins them).
 */
#include "number16.cuh"
#include "row_sum.cuh"

/** Rows whose column sums form one chain, and that one row group of a block takes: few, so that small passes fill a GPU. */
constexpr unsigned NORM_PIECE = 16;

/** Which columns and which row group of the block a thread has. */
struct RowPlace {
  unsigned group, groups, column;
  bool active;
  __device__ __forceinline__ RowPlace(unsigned h, unsigned warps_per_row) {
    const unsigned threads = 32 * warps_per_row;
    group = threadIdx.x / threads;
    groups = blockDim.x / threads;
    column = threadIdx.x % threads * 8;
    active = column < h;
  }
};

/**
 * residual (R, h) f32, carried (h) -> x^ (R, h), rstd (R), y1 = x^ * gain1 + shift1, y2 likewise unless `gain2` is null.
 * Bytes a row: 4h read, 6h written.
 */
template <bool PAIR>
__device__ __forceinline__ void normalize(const float* residual, const float* carried, const float* gain1,
                                          const float* shift1, const float* gain2, const float* shift2,
                                          number16* normalized, float* rstd, number16* y1, number16* y2, unsigned rows,
                                          unsigned h, unsigned warps_per_row, float epsilon) {
  STATIC_SHARED(float, slots, 128);
  const RowPlace place(h, warps_per_row);
  const unsigned row = blockIdx.x * place.groups + place.group;
  const bool active = place.active && row < rows;
  const size_t at = static_cast<size_t>(row) * h + place.column;
  float x[8] = {0, 0, 0, 0, 0, 0, 0, 0}, own[8];
  float sum = 0.0f, unused = 0.0f;
  if (active) {
    load_8(residual + at, x);
    load_8(carried + place.column, own);
    for (int i = 0; i < 8; i++) {
      x[i] += own[i];
      sum += x[i];
    }
  }
  row_sums(sum, unused, slots, warps_per_row);
  const float mean = sum / h;
  float square = 0.0f;
  if (active) {
    for (int i = 0; i < 8; i++) {
      x[i] -= mean;
      square += x[i] * x[i];
    }
  }
  row_sums(square, unused, slots + 64, warps_per_row);
  const float scale = rsqrt_approx(square / h + epsilon);
  if (!active) return;
  if (place.column == 0) rstd[row] = scale;
  float gain[8], shift[8], y[8];
  for (int i = 0; i < 8; i++) x[i] *= scale;
  store_8(normalized + at, x);
  load_8(gain1 + place.column, gain);
  load_8(shift1 + place.column, shift);
  for (int i = 0; i < 8; i++) y[i] = x[i] * gain[i] + shift[i];
  store_8(y1 + at, y);
  if (!PAIR) return;
  load_8(gain2 + place.column, gain);
  load_8(shift2 + place.column, shift);
  for (int i = 0; i < 8; i++) y[i] = x[i] * gain[i] + shift[i];
  store_8(y2 + at, y);
}

extern "C" __global__ void layer_norm_pair(const float* residual, const float* carried, const float* gain1,
                                           const float* shift1, const float* gain2, const float* shift2,
                                           unsigned short* normalized, float* rstd, unsigned short* y1,
                                           unsigned short* y2, unsigned rows, unsigned h, unsigned warps_per_row,
                                           float epsilon) {
  normalize<true>(residual, carried, gain1, shift1, gain2, shift2, normalized, rstd, y1, y2, rows, h, warps_per_row,
                  epsilon);
}

extern "C" __global__ void layer_norm(const float* residual, const float* carried, const float* gain,
                                      const float* shift, unsigned short* normalized, float* rstd, unsigned short* y,
                                      unsigned rows, unsigned h, unsigned warps_per_row, float epsilon) {
  normalize<false>(residual, carried, gain, shift, nullptr, nullptr, normalized, rstd, y, nullptr, rows, h,
                   warps_per_row, epsilon);
}

/**
 * Gradient through the norms of a layer and into the residual stream:
 * g = dy1 * gain1 (+ dy2 * gain2), dR = dR + rstd * (g - mean(g) - x^ * mean(g * x^)); without PAIR, dR starts from 0.
 * Also written: dR16, what the matmuls of the layer below read; for every chain of NORM_PIECE rows the column sums of
 * dy1 * x^, dy1 (, dy2 * x^, dy2), as `norm_sums` (pieces, 4h or 2h), and of the new dR as `stream_sums` (pieces, h): the
 * gradient of the layer below's two output biases. Row group j of block b takes piece b * groups + j.
 * Bytes a row: 10h + 4h (6h with one norm) read, 6h written.
 */
template <bool PAIR>
__device__ __forceinline__ void normalize_backward(const number16* dy1, const number16* dy2, const float* gain1,
                                                   const float* gain2, const number16* normalized, const float* rstd,
                                                   float* d_residual, number16* d_residual_16, float* norm_sums,
                                                   float* stream_sums, unsigned rows, unsigned h,
                                                   unsigned warps_per_row) {
  STATIC_SHARED(float, slots, 128);
  const RowPlace place(h, warps_per_row);
  const unsigned piece = blockIdx.x * place.groups + place.group;
  const float reciprocal = 1.0f / h;
  float weight1[8], weight2[8];
  float d_gain1[8] = {}, d_shift1[8] = {}, d_gain2[8] = {}, d_shift2[8] = {}, stream[8] = {};
  if (place.active) {
    load_8(gain1 + place.column, weight1);
    if (PAIR) load_8(gain2 + place.column, weight2);
  }
  for (unsigned i = 0; i < NORM_PIECE; i++) {
    const unsigned row = piece * NORM_PIECE + i;
    const bool active = place.active && row < rows;
    const size_t at = static_cast<size_t>(row) * h + place.column;
    float x[8], g[8], dy[8], old[8] = {};
    float sum = 0.0f, product = 0.0f, scale = 0.0f;
    if (active) {
      load_8(normalized + at, x);
      load_8(dy1 + at, dy);
      if (PAIR) load_8(d_residual + at, old);
      scale = rstd[row];
      for (int c = 0; c < 8; c++) {
        d_gain1[c] += dy[c] * x[c];
        d_shift1[c] += dy[c];
        g[c] = dy[c] * weight1[c];
      }
      if (PAIR) {
        load_8(dy2 + at, dy);
        for (int c = 0; c < 8; c++) {
          d_gain2[c] += dy[c] * x[c];
          d_shift2[c] += dy[c];
          g[c] += dy[c] * weight2[c];
        }
      }
      for (int c = 0; c < 8; c++) {
        sum += g[c];
        product += g[c] * x[c];
      }
    }
    // Rows take turns with two sets of slots: the barrier of one row lies between two uses of the same set.
    row_sums(sum, product, slots + 64 * (i % 2), warps_per_row);
    if (active) {
      const float mean = sum * reciprocal, slope = product * reciprocal;
      for (int c = 0; c < 8; c++) {
        old[c] += scale * (g[c] - mean - x[c] * slope);
        stream[c] += old[c];
      }
      store_8(d_residual + at, old);
      store_8(d_residual_16 + at, old);
    }
  }
  if (!place.active || piece * NORM_PIECE >= rows) return;
  float* const sums = norm_sums + static_cast<size_t>(piece) * (PAIR ? 4 : 2) * h + place.column;
  store_8(sums, d_gain1);
  store_8(sums + h, d_shift1);
  if (PAIR) {
    store_8(sums + 2 * h, d_gain2);
    store_8(sums + 3 * h, d_shift2);
  }
  store_8(stream_sums + static_cast<size_t>(piece) * h + place.column, stream);
}

extern "C" __global__ void layer_norm_pair_backward(const unsigned short* dy1, const unsigned short* dy2,
                                                    const float* gain1, const float* gain2,
                                                    const unsigned short* normalized, const float* rstd,
                                                    float* d_residual, unsigned short* d_residual_16, float* norm_sums,
                                                    float* stream_sums, unsigned rows, unsigned h,
                                                    unsigned warps_per_row) {
  normalize_backward<true>(dy1, dy2, gain1, gain2, normalized, rstd, d_residual, d_residual_16, norm_sums, stream_sums,
                           rows, h, warps_per_row);
}

extern "C" __global__ void layer_norm_backward(const unsigned short* dy, const float* gain,
                                               const unsigned short* normalized, const float* rstd, float* d_residual,
                                               unsigned short* d_residual_16, float* norm_sums, float* stream_sums,
                                               unsigned rows, unsigned h, unsigned warps_per_row) {
  normalize_backward<false>(dy, nullptr, gain, nullptr, normalized, rstd, d_residual, d_residual_16, norm_sums,
                            stream_sums, rows, h, warps_per_row);
}

/**
 * Sums of the output biases of the layers below each layer: carried (L + 1, h), from
 * carried[0] = 0 and carried[l + 1] = carried[l] + (attention_bias[l] + mlp_bias[l]). `weights` is the flat parameter
 * vector; a layer's biases lie `layer_stride` elements after those of the one before. One thread a column.
 */
extern "C" __global__ void carry_biases(const float* weights, unsigned attention_bias, unsigned mlp_bias,
                                        unsigned layer_stride, float* carried, unsigned layers, unsigned h) {
  const unsigned column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= h) return;
  float sum = 0.0f;
  carried[column] = sum;
  for (unsigned layer = 0; layer < layers; layer++) {
    const float* const from = weights + static_cast<size_t>(layer) * layer_stride + column;
    sum += from[attention_bias] + from[mlp_bias];
    carried[static_cast<size_t>(layer + 1) * h + column] = sum;
  }
}
