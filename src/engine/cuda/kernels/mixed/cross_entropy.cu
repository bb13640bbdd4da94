/**
 * Classifier: cross-entropy of every row of logits (rows, V) against the next token, and its gradient in place of the
 * logits. V a multiple of 8; every column counts, the padded ones too, as in GPT-NeoX.
 *
 * One block a row. With z = logit * log2(e): a thread keeps the maximum and the sum of 2^(z - maximum) of its vectors of
 * 8 columns, strided by the block; lanes and then warps are joined by a butterfly and in ascending order.
 * Bytes a row: 2V read, again 2V from the L2 cache, 2V written. About 2V exponentials.
 */
#include "number16.cuh"
#include "training_state.cuh"

constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.69314718055994531f;

/** Joins the sum of 2^(z - maximum) of two sets. */
__device__ __forceinline__ void join_exponentials(float& maximum, float& sum, float other_maximum, float other_sum) {
  const float joint = fmaxf(maximum, other_maximum);
  // Sets without an element have maximum -infinity and sum 0.
  const float own = maximum == joint ? 1.0f : exp2_approx(maximum - joint);
  const float other = other_maximum == joint ? 1.0f : exp2_approx(other_maximum - joint);
  sum = sum * own + other_sum * other;
  maximum = joint;
}

/** log2 of the row's sum of 2^z, for all threads of the block. */
__device__ __forceinline__ float log2_sum(const number16* row, unsigned vocabulary) {
  STATIC_SHARED(float, slots, 64);
  float maximum = -__int_as_float(0x7f800000), sum = 0.0f;
  for (unsigned column = threadIdx.x * 8; column < vocabulary; column += blockDim.x * 8) {
    float z[8];
    load_8(row + column, z);
    float largest = z[0];
    for (int i = 1; i < 8; i++) largest = fmaxf(largest, z[i]);
    largest *= LOG2_E;
    float own = 0.0f;
    for (int i = 0; i < 8; i++) own += exp2_approx(z[i] * LOG2_E - largest);
    join_exponentials(maximum, sum, largest, own);
  }
  for (int mask = 16; mask > 0; mask >>= 1) {
    const float other_maximum = shuffle_xor(maximum, mask), other_sum = shuffle_xor(sum, mask);
    join_exponentials(maximum, sum, other_maximum, other_sum);
  }
  const unsigned warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 0) {
    slots[2 * warp] = maximum;
    slots[2 * warp + 1] = sum;
  }
  __syncthreads();
  maximum = slots[0];
  sum = slots[1];
  for (unsigned i = 1; i < blockDim.x / 32; i++) join_exponentials(maximum, sum, slots[2 * i], slots[2 * i + 1]);
  return maximum + log2_approx(sum);
}

/** The token that row `row` of the pass is to predict. */
__device__ __forceinline__ unsigned target_of(const unsigned short* tokens, unsigned row,
                                              unsigned sequence_length) {
  return tokens[row / sequence_length * (sequence_length + 1) + row % sequence_length + 1];
}

/** losses (R): natural logarithm, f32. `first_row`: place of the logits' first row in the pass. */
extern "C" __global__ void cross_entropy(const unsigned short* logits, const unsigned short* tokens, float* losses,
                                         unsigned first_row, unsigned vocabulary, unsigned sequence_length) {
  const number16* const row = logits + static_cast<size_t>(blockIdx.x) * vocabulary;
  const float log2_total = log2_sum(row, vocabulary);
  if (threadIdx.x > 0) return;
  const unsigned at = first_row + blockIdx.x;
  losses[at] = log2_total * LN_2 - value_16(row[target_of(tokens, at, sequence_length)]);
}

/**
 * The same, and logits -> (softmax - 1 at the target) * w with w = loss scale * token_weight.
 *
 * @param state the loss scale lies on the device
 */
extern "C" __global__ void cross_entropy_backward(unsigned short* logits, const unsigned short* tokens, float* losses,
                                                  const void* state, float token_weight, unsigned first_row,
                                                  unsigned vocabulary, unsigned sequence_length) {
  number16* const row = logits + static_cast<size_t>(blockIdx.x) * vocabulary;
  const float log2_total = log2_sum(row, vocabulary);
  const unsigned at = first_row + blockIdx.x;
  const unsigned target = target_of(tokens, at, sequence_length);
  const float weight = static_cast<const TrainingState*>(state)->loss_scale * token_weight;
  for (unsigned column = threadIdx.x * 8; column < vocabulary; column += blockDim.x * 8) {
    float z[8];
    load_8(row + column, z);
    for (int i = 0; i < 8; i++) {
      if (column + i == target) losses[at] = log2_total * LN_2 - z[i];
      const float probability = exp2_approx(z[i] * LOG2_E - log2_total);
      z[i] = (column + i == target ? probability - 1.0f : probability) * weight;
    }
    store_8(row + column, z);
  }
}

/** sums (windows): the losses of each window's T tokens: chains strided by the block, a butterfly, warps ascending. */
extern "C" __global__ void sum_losses(const float* losses, float* sums, unsigned sequence_length) {
  STATIC_SHARED(float, slots, 32);
  const float* const window = losses + static_cast<size_t>(blockIdx.x) * sequence_length;
  float sum = 0.0f;
  for (unsigned i = threadIdx.x; i < sequence_length; i += blockDim.x) sum += window[i];
  for (int mask = 16; mask > 0; mask >>= 1) sum += shuffle_xor(sum, mask);
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = slots[0];
  for (unsigned i = 1; i < blockDim.x / 32; i++) sum += slots[i];
  sums[blockIdx.x] = sum;
}
