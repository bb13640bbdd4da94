/**
 * End of a step: norm of the gradient, test for overflow, dynamic loss scaling, clipping, AdamW. Nothing is read by the
 * host in between. The flat parameter vector is cut into chunks of 4096 elements within one tensor each (chunks.ts).
 */
#include "number16.cuh"
#include "training_state.cuh"

constexpr unsigned CHUNK = 4096;
constexpr unsigned CHUNK_THREADS = 256;

/** A chunk: its first element, its elements (a multiple of 8), and whether weights in it decay. */
struct Chunk {
  unsigned offset, size, decayed;
};

/**
 * partial (chunks): sum of squares of each chunk of the gradient, f32. A thread is a chain over its vectors of 4, strided
 * by the block; then a butterfly, then warps ascending. Bytes: 4 a parameter.
 */
extern "C" __global__ void sum_squares(const float* gradient, const void* chunks, float* partial) {
  STATIC_SHARED(float, slots, CHUNK_THREADS / 32);
  const Chunk chunk = static_cast<const Chunk*>(chunks)[blockIdx.x];
  const float4* const from = reinterpret_cast<const float4*>(gradient + chunk.offset);
  float sum = 0.0f;
#pragma unroll
  for (unsigned i = 0; i < CHUNK / 4 / CHUNK_THREADS; i++) {
    const unsigned at = i * CHUNK_THREADS + threadIdx.x;
    if (at >= chunk.size / 4) break;
    const float4 g = from[at];
    sum += g.x * g.x;
    sum += g.y * g.y;
    sum += g.z * g.z;
    sum += g.w * g.w;
  }
  for (int mask = 16; mask > 0; mask >>= 1) sum += shuffle_xor(sum, mask);
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = slots[0];
  for (unsigned i = 1; i < CHUNK_THREADS / 32; i++) sum += slots[i];
  partial[blockIdx.x] = sum;
}

/**
 * One block: norm = sqrt(sum of partials) / (loss scale * gradient blocks), and what becomes of the step.
 *
 * With `window` > 0 the loss scale is dynamic, by the rules of DeepSpeed's DynamicLossScaler (runtime/fp16/loss_scaler.py,
 * as GPT-NeoX used it in 2023): an overflow skips the update; it uses up one of `hysteresis` or, when one is left, halves
 * the scale, down to `minimum`; at the minimum the run has diverged. After every `window` steps in a row without
 * overflow the scale is doubled and the hysteresis restored. Unlike DeepSpeed's, the step that doubles the scale still
 * divides its gradient by the old one. Otherwise the scale stays, and a gradient that is not finite ends the run.
 *
 * Clipping as torch.nn.utils.clip_grad_norm_: times min(1, clip / (norm + 1e-6)).
 */
extern "C" __global__ void finish_gradient(const float* partial, unsigned chunks, void* state,
                                           unsigned gradient_blocks, float clip, unsigned window, unsigned hysteresis,
                                           float minimum) {
  STATIC_SHARED(double, lanes, 1024);
  double sum = 0.0;
  for (unsigned i = threadIdx.x; i < chunks; i += blockDim.x) sum += partial[i];
  lanes[threadIdx.x] = sum;
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) lanes[threadIdx.x] += lanes[threadIdx.x + half];
  }
  if (threadIdx.x > 0) return;

  TrainingState& kept = *static_cast<TrainingState*>(state);
  TrainingState next = kept;
  const float unscale = 1.0f / (next.loss_scale * gradient_blocks);
  const float norm = static_cast<float>(sqrt(lanes[0]) * unscale);
  // Also false for NaN. A chunk's sum of squares is infinite only if an element is beyond 10^17.
  const bool finite = lanes[0] < 1.7e308;
  next.gradient_norm = norm;
  next.gradient_factor = fminf(1.0f, clip / (norm + 1e-6f)) * unscale;
  if (finite) {
    next.outcome = UPDATED;
    next.good_steps++;
    if (window > 0 && next.good_steps % window == 0) {
      next.loss_scale *= 2.0f;
      next.hysteresis = hysteresis;
    }
  } else if (window == 0 || (next.hysteresis == 1 && next.loss_scale <= minimum)) {
    next.outcome = DIVERGED;
  } else {
    next.outcome = SKIPPED;
    next.good_steps = 0;
    if (next.hysteresis == 1) next.loss_scale = fmaxf(next.loss_scale * 0.5f, minimum);
    else next.hysteresis--;
  }
  kept = next;
}

/**
 * AdamW with decoupled weight decay on matrices and embeddings, in f32, and the 16-bit copy of the weights. Does nothing
 * unless the step's outcome is UPDATED. With g = gradient * factor: m = beta1 * m + (1 - beta1) * g,
 * v = beta2 * v + (1 - beta2) * g^2, weight = weight * decay - step_size * m / (sqrt(v) / root_correction2 + epsilon).
 * Bytes a parameter: 16 read, 14 written.
 */
extern "C" __global__ void adamw(float* weights, float* first_moments, float* second_moments,
                                 unsigned short* weights_16, const float* gradient, const void* chunks,
                                 const void* state, const void* scalars) {
  const TrainingState& step = *static_cast<const TrainingState*>(state);
  if (step.outcome != UPDATED) return;
  const Chunk chunk = static_cast<const Chunk*>(chunks)[blockIdx.x];
  const UpdateScalars s = *static_cast<const UpdateScalars*>(scalars);
  const float factor = step.gradient_factor, decay = chunk.decayed != 0 ? s.decay : 1.0f;
  const float per_root = 1.0f / s.root_correction2;
#pragma unroll
  for (unsigned i = 0; i < CHUNK / 4 / CHUNK_THREADS; i++) {
    const unsigned within = (i * CHUNK_THREADS + threadIdx.x) * 4;
    if (within >= chunk.size) break;
    const size_t at = static_cast<size_t>(chunk.offset) + within;
    float4 w4 = *reinterpret_cast<const float4*>(weights + at), m4 = *reinterpret_cast<const float4*>(first_moments + at);
    float4 v4 = *reinterpret_cast<const float4*>(second_moments + at);
    const float4 g4 = *reinterpret_cast<const float4*>(gradient + at);
    float w[4] = {w4.x, w4.y, w4.z, w4.w}, m[4] = {m4.x, m4.y, m4.z, m4.w}, v[4] = {v4.x, v4.y, v4.z, v4.w};
    const float g[4] = {g4.x, g4.y, g4.z, g4.w};
#pragma unroll
    for (int c = 0; c < 4; c++) {
      const float clipped = g[c] * factor;
      m[c] = s.beta1 * m[c] + s.one_minus_beta1 * clipped;
      v[c] = s.beta2 * v[c] + s.one_minus_beta2 * clipped * clipped;
      w[c] = w[c] * decay - s.step_size * (m[c] / (sqrt_rn(v[c]) * per_root + s.epsilon));
    }
    *reinterpret_cast<float4*>(weights + at) = make_float4(w[0], w[1], w[2], w[3]);
    *reinterpret_cast<float4*>(first_moments + at) = make_float4(m[0], m[1], m[2], m[3]);
    *reinterpret_cast<float4*>(second_moments + at) = make_float4(v[0], v[1], v[2], v[3]);
    *reinterpret_cast<uint2*>(weights_16 + at) = make_uint2(pack_16(w[0], w[1]), pack_16(w[2], w[3]));
  }
}

/** The 16-bit copy of the weights anew, n a multiple of 4. Bytes: 6 a parameter. */
extern "C" __global__ void round_weights(const float* weights, unsigned short* weights_16, unsigned n) {
  const size_t at = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (at >= n) return;
  const float4 w = *reinterpret_cast<const float4*>(weights + at);
  *reinterpret_cast<uint2*>(weights_16 + at) = make_uint2(pack_16(w.x, w.y), pack_16(w.z, w.w));
}

/** target += source, n a multiple of 4: joins two nodes of the tree over gradient blocks. Bytes: 12 an element. */
extern "C" __global__ void add_gradient(float* target, const float* source, unsigned n) {
  const size_t at = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (at >= n) return;
  const float4 a = *reinterpret_cast<const float4*>(target + at), b = *reinterpret_cast<const float4*>(source + at);
  *reinterpret_cast<float4*>(target + at) = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
