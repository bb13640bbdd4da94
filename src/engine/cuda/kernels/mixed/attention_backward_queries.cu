// The part of attention's backward pass that owns queries: attention_backward.cuh.
#include "attention_backward.cuh"

constexpr unsigned BACKWARD_ROW_TILES = HEAD_SIZE <= 64 ? 2 : 1;
constexpr unsigned BACKWARD_WARPS = HEAD_SIZE <= 64 ? 4 : 8;
constexpr unsigned BACKWARD_ROWS = 16 * BACKWARD_ROW_TILES * BACKWARD_WARPS;

/**
 * gradient: its queries' part is written. output, d_output (R, heads, HEAD_SIZE). Blocks as in `attention`: 128 queries,
 * 16 or 32 a warp. Shared memory: 4 tiles of keys and values.
 */
extern "C" __global__ void __launch_bounds__(32 * BACKWARD_WARPS)
    attention_backward_queries(const unsigned short* query_key_value, const unsigned short* output,
                               const unsigned short* d_output, const float* log_sums, float* deltas,
                               unsigned short* gradient, unsigned sequence_length, unsigned heads, float scale2,
                               float scale) {
  DYNAMIC_SHARED(number16, shared);
  const unsigned head = blockIdx.y, window = blockIdx.z, lane = threadIdx.x % 32;
  const unsigned first_query = (gridDim.x - 1 - blockIdx.x) * BACKWARD_ROWS;
  const unsigned within = threadIdx.x / 32 * 16 * BACKWARD_ROW_TILES, own_query = first_query + within;
  const size_t stride = static_cast<size_t>(heads) * 3 * HEAD_SIZE;
  const size_t output_stride = static_cast<size_t>(heads) * HEAD_SIZE;
  const size_t window_row = static_cast<size_t>(window) * sequence_length;
  const size_t sums_row = (static_cast<size_t>(window) * heads + head) * sequence_length;
  const number16* const base = query_key_value + window_row * stride + head * 3 * HEAD_SIZE;
  const HeadRows queries{base, stride, sequence_length};
  const HeadRows keys{base + HEAD_SIZE, stride, sequence_length};
  const HeadRows values{base + 2 * HEAD_SIZE, stride, sequence_length};
  const size_t output_head = window_row * output_stride + head * HEAD_SIZE;
  const HeadRows d_outputs{d_output + output_head, output_stride, sequence_length};

  unsigned query[BACKWARD_ROW_TILES][HEAD_STEPS][4], d_out[BACKWARD_ROW_TILES][HEAD_STEPS][4];
  copy_rows<BACKWARD_ROWS>(shared, queries, first_query);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
#pragma unroll
  for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
    for (unsigned step = 0; step < HEAD_STEPS; step++) load_rows_a(query[m][step], shared, within + 16 * m, 16 * step);
  }
  __syncthreads();
  copy_rows<BACKWARD_ROWS>(shared, d_outputs, first_query);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
#pragma unroll
  for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
    for (unsigned step = 0; step < HEAD_STEPS; step++) load_rows_a(d_out[m][step], shared, within + 16 * m, 16 * step);
  }
  __syncthreads();

  float log_sum[BACKWARD_ROW_TILES][2], delta[BACKWARD_ROW_TILES][2];
#pragma unroll
  for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
      const unsigned row = own_query + 16 * m + 8 * half + lane / 4;
      float sum = 0.0f;
      if (row < sequence_length) {
        const number16* const own = output + output_head + row * output_stride + lane % 4 * 2;
#pragma unroll
        for (unsigned tile = 0; tile < HEAD_SIZE / 8; tile++) {
          float left, right, d_left, d_right;
          unpack_16(*reinterpret_cast<const unsigned*>(own + tile * 8), left, right);
          unpack_16(d_out[m][tile / 2][tile % 2 * 2 + half], d_left, d_right);
          sum += left * d_left;
          sum += right * d_right;
        }
      }
      sum += shuffle_xor(sum, 1);
      sum += shuffle_xor(sum, 2);
      delta[m][half] = sum;
      log_sum[m][half] = row < sequence_length ? log_sums[sums_row + row] : 0.0f;
      if (lane % 4 == 0 && row < sequence_length) deltas[sums_row + row] = sum;
    }
  }

  const unsigned end = min(first_query + BACKWARD_ROWS, sequence_length);
  const unsigned tiles = (end + BACKWARD_TILE - 1) / BACKWARD_TILE;
  const auto copy = [&](unsigned tile) {
    if (tile < tiles) {
      number16* const stage = shared + tile % 2 * 2 * BACKWARD_ELEMENTS;
      copy_rows<BACKWARD_TILE>(stage, keys, tile * BACKWARD_TILE);
      copy_rows<BACKWARD_TILE>(stage + BACKWARD_ELEMENTS, values, tile * BACKWARD_TILE);
      copy_async_commit();
    }
  };
  float sums[BACKWARD_ROW_TILES][HEAD_TILES][4] = {};
  copy(0);
  for (unsigned tile = 0; tile < tiles; tile++) {
    copy_async_wait<0>();
    __syncthreads();
    // Everyone is done with the tile before, whose place the next one takes.
    copy(tile + 1);
    const number16* const key = shared + tile % 2 * 2 * BACKWARD_ELEMENTS;
    const number16* const value = key + BACKWARD_ELEMENTS;
    for (unsigned slice = 0; slice < SLICES; slice++) {
      const unsigned first_key = tile * BACKWARD_TILE + 16 * slice;
      if (first_key >= own_query + 16 * BACKWARD_ROW_TILES) break;
      float scores[BACKWARD_ROW_TILES][2][4] = {}, d_p[BACKWARD_ROW_TILES][2][4] = {};
#pragma unroll
      for (unsigned step = 0; step < HEAD_STEPS; step++) {
        unsigned b[2][2], c[2][2];
        load_rows_b(b, key, 16 * slice, 16 * step);
        load_rows_b(c, value, 16 * slice, 16 * step);
#pragma unroll
        for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
          for (unsigned n = 0; n < 2; n++) {
            mma_16(scores[m][n], query[m][step], b[n]);
            mma_16(d_p[m][n], d_out[m][step], c[n]);
          }
        }
      }
      if (first_key + 16 > own_query + 1) {
#pragma unroll
        for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
          for (unsigned n = 0; n < 2; n++) hide_later(scores[m][n], own_query + 16 * m, first_key + 8 * n);
        }
      }
      unsigned d_s[BACKWARD_ROW_TILES][4];
#pragma unroll
      for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
#pragma unroll
        for (unsigned n = 0; n < 2; n++) {
#pragma unroll
          for (unsigned j = 0; j < 4; j++) {
            const float p = exp2_approx(scores[m][n][j] * scale2 - log_sum[m][j / 2]);
            d_p[m][n][j] = p * (d_p[m][n][j] - delta[m][j / 2]);
          }
        }
        accumulators_as_a(d_s[m], d_p[m][0], d_p[m][1]);
      }
#pragma unroll
      for (unsigned n = 0; n < HEAD_TILES; n += 2) {
        unsigned b[2][2];
        load_columns_b(b, key, 16 * slice, 8 * n);
#pragma unroll
        for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
          mma_16(sums[m][n], d_s[m], b[0]);
          mma_16(sums[m][n + 1], d_s[m], b[1]);
        }
      }
    }
  }
  number16* const target = gradient + window_row * stride + head * 3 * HEAD_SIZE;
#pragma unroll
  for (unsigned m = 0; m < BACKWARD_ROW_TILES; m++) {
    store_rows(target, stride, sequence_length, own_query + 16 * m, sums[m], scale, scale);
  }
}
