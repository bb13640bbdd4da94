// The part of attention's backward pass that owns keys and values: attention_backward.cuh.
#include "attention_backward.cuh"

/** Keys of a block of `attention_backward_keys`: 16 a warp, or 32 where their sums fit a thread's registers. */
constexpr unsigned KEY_ROW_TILES = HEAD_SIZE <= 64 ? 2 : 1;
constexpr unsigned KEY_WARPS = 4;
constexpr unsigned KEY_ROWS = 16 * KEY_ROW_TILES * KEY_WARPS;

/**
 * gradient: its keys' and values' part is written. Block: KEY_ROWS keys of one head of one window as the rows of S^T;
 * queries in tiles of 64 ascending. Blocks along x: tiles of keys, those that most queries see first; y: heads; z:
 * windows. Shared memory: 4 tiles of queries and dO, and 4 * 64 floats.
 */
extern "C" __global__ void __launch_bounds__(32 * KEY_WARPS)
    attention_backward_keys(const unsigned short* query_key_value, const unsigned short* d_output,
                            const float* log_sums, const float* deltas, unsigned short* gradient,
                            unsigned sequence_length, unsigned heads, float scale2, float scale) {
  DYNAMIC_SHARED(number16, shared);
  const unsigned head = blockIdx.y, window = blockIdx.z, lane = threadIdx.x % 32;
  const unsigned first_key = blockIdx.x * KEY_ROWS;
  const unsigned within = threadIdx.x / 32 * 16 * KEY_ROW_TILES, own_key = first_key + within;
  const size_t stride = static_cast<size_t>(heads) * 3 * HEAD_SIZE;
  const size_t output_stride = static_cast<size_t>(heads) * HEAD_SIZE;
  const size_t window_row = static_cast<size_t>(window) * sequence_length;
  const size_t sums_row = (static_cast<size_t>(window) * heads + head) * sequence_length;
  const number16* const base = query_key_value + window_row * stride + head * 3 * HEAD_SIZE;
  const HeadRows queries{base, stride, sequence_length};
  const HeadRows keys{base + HEAD_SIZE, stride, sequence_length};
  const HeadRows values{base + 2 * HEAD_SIZE, stride, sequence_length};
  const HeadRows d_outputs{d_output + window_row * output_stride + head * HEAD_SIZE, output_stride, sequence_length};
  float* const row_values = reinterpret_cast<float*>(shared + 4 * BACKWARD_ELEMENTS);

  unsigned key[KEY_ROW_TILES][HEAD_STEPS][4], value[KEY_ROW_TILES][HEAD_STEPS][4];
  copy_rows<KEY_ROWS>(shared, keys, first_key);
  copy_rows<KEY_ROWS>(shared + 2 * BACKWARD_ELEMENTS, values, first_key);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
#pragma unroll
  for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
#pragma unroll
    for (unsigned step = 0; step < HEAD_STEPS; step++) {
      load_rows_a(key[m][step], shared, within + 16 * m, 16 * step);
      load_rows_a(value[m][step], shared + 2 * BACKWARD_ELEMENTS, within + 16 * m, 16 * step);
    }
  }
  __syncthreads();

  const unsigned tiles = (sequence_length + BACKWARD_TILE - 1) / BACKWARD_TILE;
  const auto copy = [&](unsigned tile) {
    if (tile < tiles) {
      number16* const stage = shared + tile % 2 * 2 * BACKWARD_ELEMENTS;
      copy_rows<BACKWARD_TILE>(stage, queries, tile * BACKWARD_TILE);
      copy_rows<BACKWARD_TILE>(stage + BACKWARD_ELEMENTS, d_outputs, tile * BACKWARD_TILE);
      for (unsigned i = threadIdx.x; i < 2 * BACKWARD_TILE; i += blockDim.x) {
        const unsigned row = tile * BACKWARD_TILE + i % BACKWARD_TILE;
        const bool valid = row < sequence_length;
        const float* const from = (i < BACKWARD_TILE ? log_sums : deltas) + sums_row + (valid ? row : 0);
        copy_async_4(row_values + tile % 2 * 2 * BACKWARD_TILE + i, from, valid);
      }
      copy_async_commit();
    }
  };
  float d_key[KEY_ROW_TILES][HEAD_TILES][4] = {}, d_value[KEY_ROW_TILES][HEAD_TILES][4] = {};
  const unsigned first_tile = first_key / BACKWARD_TILE;
  copy(first_tile);
  for (unsigned tile = first_tile; tile < tiles; tile++) {
    copy_async_wait<0>();
    __syncthreads();
    // Everyone is done with the tile before, whose place the next one takes.
    copy(tile + 1);
    const number16* const query = shared + tile % 2 * 2 * BACKWARD_ELEMENTS;
    const number16* const d_out = query + BACKWARD_ELEMENTS;
    const float* const log_sum = row_values + tile % 2 * 2 * BACKWARD_TILE;
    const float* const delta = log_sum + BACKWARD_TILE;
    for (unsigned slice = 0; slice < SLICES; slice++) {
      const unsigned first_query = tile * BACKWARD_TILE + 16 * slice;
      // Queries that come before all of this warp's keys. Those beyond the last one are rows of zeros and add nothing.
      if (first_query + 16 <= own_key) continue;
      float scores[KEY_ROW_TILES][2][4] = {}, d_p[KEY_ROW_TILES][2][4] = {};
#pragma unroll
      for (unsigned step = 0; step < HEAD_STEPS; step++) {
        unsigned b[2][2], c[2][2];
        load_rows_b(b, query, 16 * slice, 16 * step);
        load_rows_b(c, d_out, 16 * slice, 16 * step);
#pragma unroll
        for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
#pragma unroll
          for (unsigned n = 0; n < 2; n++) {
            mma_16(scores[m][n], key[m][step], b[n]);
            mma_16(d_p[m][n], value[m][step], c[n]);
          }
        }
      }
      if (own_key + 16 * KEY_ROW_TILES > first_query + 1) {
#pragma unroll
        for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
#pragma unroll
          for (unsigned n = 0; n < 2; n++) hide_earlier(scores[m][n], own_key + 16 * m, first_query + 8 * n);
        }
      }
      unsigned p[KEY_ROW_TILES][4], d_s[KEY_ROW_TILES][4];
#pragma unroll
      for (unsigned n = 0; n < 2; n++) {
        const unsigned in_tile = 16 * slice + 8 * n + lane % 4 * 2;
        const float2 own_log_sum = *reinterpret_cast<const float2*>(log_sum + in_tile);
        const float2 own_delta = *reinterpret_cast<const float2*>(delta + in_tile);
#pragma unroll
        for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
#pragma unroll
          for (unsigned j = 0; j < 4; j++) {
            scores[m][n][j] = exp2_approx(scores[m][n][j] * scale2 - (j % 2 == 0 ? own_log_sum.x : own_log_sum.y));
            d_p[m][n][j] = scores[m][n][j] * (d_p[m][n][j] - (j % 2 == 0 ? own_delta.x : own_delta.y));
          }
        }
      }
#pragma unroll
      for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
        accumulators_as_a(p[m], scores[m][0], scores[m][1]);
        accumulators_as_a(d_s[m], d_p[m][0], d_p[m][1]);
      }
#pragma unroll
      for (unsigned n = 0; n < HEAD_TILES; n += 2) {
        unsigned b[2][2], c[2][2];
        load_columns_b(b, d_out, 16 * slice, 8 * n);
        load_columns_b(c, query, 16 * slice, 8 * n);
#pragma unroll
        for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
#pragma unroll
          for (unsigned i = 0; i < 2; i++) {
            mma_16(d_value[m][n + i], p[m], b[i]);
            mma_16(d_key[m][n + i], d_s[m], c[i]);
          }
        }
      }
    }
  }
  number16* const target = gradient + window_row * stride + head * 3 * HEAD_SIZE;
#pragma unroll
  for (unsigned m = 0; m < KEY_ROW_TILES; m++) {
    const unsigned row = own_key + 16 * m;
    store_rows(target + HEAD_SIZE, stride, sequence_length, row, d_key[m], scale, scale);
    store_rows(target + 2 * HEAD_SIZE, stride, sequence_length, row, d_value[m], 1.0f, 1.0f);
  }
}
