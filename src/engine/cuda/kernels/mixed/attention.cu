/**
 * Causal flash attention, forward: softmax(Q * K^T * scale) * V head by head, without the (T, T) matrix.
 *
 * Block: QUERY_TILE queries of one head of one window, ROWS_PER_WARP a warp; keys in tiles of KEY_TILE ascending, the
 * next one on its way by cp.async while one is worked on. The running maximum and sum of a row are those of flash
 * attention (arXiv 2205.14135, 2307.08691). Each output is one thread's chain: no order to depend on.
 * Blocks along x: tiles of queries, the longest rows first; y: heads; z: windows.
 * FLOPs 2 T^2 HEAD_SIZE a head, half of the square. Bytes: keys and values once a block, 8 HEAD_SIZE a row besides.
 */
#include "attention.cuh"

constexpr unsigned KEY_TILE = 64;
constexpr unsigned ROWS_PER_WARP = HEAD_SIZE <= 64 ? 32 : 16;
constexpr unsigned ATTENTION_WARPS = HEAD_SIZE <= 64 ? 4 : 8;
constexpr unsigned QUERY_TILE = ROWS_PER_WARP * ATTENTION_WARPS;
constexpr unsigned ROW_TILES = ROWS_PER_WARP / 16;
constexpr unsigned TILE_ELEMENTS = KEY_TILE * HEAD_STRIDE;

/** output (R, heads, HEAD_SIZE) 16-bit; log_sums: L. Shared memory: 4 tiles of keys, or the queries. */
extern "C" __global__ void __launch_bounds__(32 * ATTENTION_WARPS)
    attention(const unsigned short* query_key_value, unsigned short* output, float* log_sums,
              unsigned sequence_length, unsigned heads, float scale2) {
  DYNAMIC_SHARED(number16, shared);
  const unsigned head = blockIdx.y, window = blockIdx.z, lane = threadIdx.x % 32;
  const unsigned first_query = (gridDim.x - 1 - blockIdx.x) * QUERY_TILE;
  const unsigned own_query = first_query + threadIdx.x / 32 * ROWS_PER_WARP;
  const size_t stride = static_cast<size_t>(heads) * 3 * HEAD_SIZE;
  const size_t window_row = static_cast<size_t>(window) * sequence_length;
  const number16* const base = query_key_value + window_row * stride + head * 3 * HEAD_SIZE;
  const HeadRows queries{base, stride, sequence_length};
  const HeadRows keys{base + HEAD_SIZE, stride, sequence_length};
  const HeadRows values{base + 2 * HEAD_SIZE, stride, sequence_length};

  copy_rows<QUERY_TILE>(shared, queries, first_query);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
  unsigned query[ROW_TILES][HEAD_STEPS][4];
#pragma unroll
  for (unsigned m = 0; m < ROW_TILES; m++) {
#pragma unroll
    for (unsigned step = 0; step < HEAD_STEPS; step++) {
      load_rows_a(query[m][step], shared, own_query - first_query + 16 * m, 16 * step);
    }
  }
  __syncthreads();

  float sums[ROW_TILES][HEAD_TILES][4] = {};
  float maximum[ROW_TILES][2], total[ROW_TILES][2];
#pragma unroll
  for (unsigned m = 0; m < ROW_TILES; m++) {
    maximum[m][0] = maximum[m][1] = -__int_as_float(0x7f800000);
    total[m][0] = total[m][1] = 0.0f;
  }

  const unsigned end = min(first_query + QUERY_TILE, sequence_length);
  const unsigned tiles = (end + KEY_TILE - 1) / KEY_TILE;
  const auto copy = [&](unsigned tile) {
    if (tile < tiles) {
      number16* const stage = shared + tile % 2 * 2 * TILE_ELEMENTS;
      copy_rows<KEY_TILE>(stage, keys, tile * KEY_TILE);
      copy_rows<KEY_TILE>(stage + TILE_ELEMENTS, values, tile * KEY_TILE);
      copy_async_commit();
    }
  };
  copy(0);
  for (unsigned tile = 0; tile < tiles; tile++) {
    copy_async_wait<0>();
    __syncthreads();
    // Everyone is done with the tile before, whose place the next one takes.
    copy(tile + 1);
    const number16* const key = shared + tile % 2 * 2 * TILE_ELEMENTS;
    const number16* const value = key + TILE_ELEMENTS;
    const unsigned first_key = tile * KEY_TILE;
    // Nothing of this tile is visible to a warp whose queries all come before it.
    if (first_key < own_query + ROWS_PER_WARP) {
      float scores[ROW_TILES][KEY_TILE / 8][4] = {};
#pragma unroll
      for (unsigned step = 0; step < HEAD_STEPS; step++) {
#pragma unroll
        for (unsigned n = 0; n < KEY_TILE / 8; n += 2) {
          unsigned b[2][2];
          load_rows_b(b, key, 8 * n, 16 * step);
#pragma unroll
          for (unsigned m = 0; m < ROW_TILES; m++) {
            mma_16(scores[m][n], query[m][step], b[0]);
            mma_16(scores[m][n + 1], query[m][step], b[1]);
          }
        }
      }
      // The tile crosses the diagonal for some of the warp's queries.
      if (first_key + KEY_TILE > own_query + 1) {
#pragma unroll
        for (unsigned m = 0; m < ROW_TILES; m++) {
#pragma unroll
          for (unsigned n = 0; n < KEY_TILE / 8; n++) hide_later(scores[m][n], own_query + 16 * m, first_key + 8 * n);
        }
      }
#pragma unroll
      for (unsigned m = 0; m < ROW_TILES; m++) {
        float correction[2];
#pragma unroll
        for (unsigned half = 0; half < 2; half++) {
          float largest = scores[m][0][2 * half];
#pragma unroll
          for (unsigned n = 0; n < KEY_TILE / 8; n++) {
            largest = fmaxf(largest, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
          }
          largest = fmaxf(largest, shuffle_xor(largest, 1));
          largest = fmaxf(largest, shuffle_xor(largest, 2));
          // Key 0 is visible to every query, so that the maximum is finite from the first tile on.
          largest = fmaxf(maximum[m][half], largest * scale2);
          correction[half] = exp2_approx(maximum[m][half] - largest);
          maximum[m][half] = largest;
          float sum = 0.0f;
#pragma unroll
          for (unsigned n = 0; n < KEY_TILE / 8; n++) {
#pragma unroll
            for (unsigned j = 2 * half; j < 2 * half + 2; j++) {
              scores[m][n][j] = exp2_approx(scores[m][n][j] * scale2 - largest);
              sum += scores[m][n][j];
            }
          }
          // Joined over the row's four lanes at the end: all are scaled alike.
          total[m][half] = total[m][half] * correction[half] + sum;
        }
        // Most tiles raise no row's maximum: times 1 changes nothing.
        if (warp_any(correction[0] != 1.0f || correction[1] != 1.0f)) {
#pragma unroll
          for (unsigned n = 0; n < HEAD_TILES; n++) {
#pragma unroll
            for (unsigned j = 0; j < 4; j++) sums[m][n][j] *= correction[j / 2];
          }
        }
      }
#pragma unroll
      for (unsigned step = 0; step < KEY_TILE / 16; step++) {
        unsigned p[ROW_TILES][4];
#pragma unroll
        for (unsigned m = 0; m < ROW_TILES; m++) accumulators_as_a(p[m], scores[m][2 * step], scores[m][2 * step + 1]);
#pragma unroll
        for (unsigned n = 0; n < HEAD_TILES; n += 2) {
          unsigned b[2][2];
          load_columns_b(b, value, 16 * step, 8 * n);
#pragma unroll
          for (unsigned m = 0; m < ROW_TILES; m++) {
            mma_16(sums[m][n], p[m], b[0]);
            mma_16(sums[m][n + 1], p[m], b[1]);
          }
        }
      }
    }
  }

  const size_t row_stride = static_cast<size_t>(heads) * HEAD_SIZE;
  number16* const target = output + window_row * row_stride + head * HEAD_SIZE;
  float* const target_sums = log_sums + (static_cast<size_t>(window) * heads + head) * sequence_length;
#pragma unroll
  for (unsigned m = 0; m < ROW_TILES; m++) {
    float factor[2];
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
      float sum = total[m][half];
      sum += shuffle_xor(sum, 1);
      sum += shuffle_xor(sum, 2);
      factor[half] = 1.0f / sum;
      const unsigned row = own_query + 16 * m + 8 * half + lane / 4;
      if (lane % 4 == 0 && row < sequence_length) target_sums[row] = maximum[m][half] + log2_approx(sum);
    }
    store_rows(target, row_stride, sequence_length, own_query + 16 * m, sums[m], factor[0], factor[1]);
  }
}
