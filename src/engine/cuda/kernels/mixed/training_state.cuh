/** What the device keeps of a training between steps, and what it decides within one: src/engine/cuda/mixed/device_state.ts. */

/** What became of a step; the numbers are those of device_state.ts. */
enum Outcome : unsigned { UPDATED = 0, SKIPPED = 1, DIVERGED = 2 };

/** 32 bytes. */
struct TrainingState {
  /** what the loss is multiplied by before the backward pass: a power of two */
  float loss_scale;
  /** steps without overflow since the last one with it */
  unsigned good_steps;
  /** overflows left until the loss scale is halved */
  unsigned hysteresis;
  /** of the last step */
  Outcome outcome;
  /** L2 norm of the last step's gradient, loss scale taken out */
  float gradient_norm;
  /** what the update multiplies each element of the gradient by: clipping, and 1 / (loss scale * gradient blocks) */
  float gradient_factor;
  unsigned reserved[2];
};

/** Scalars of one AdamW step, f32 (src/engine/ordered/update_scalars.ts). 32 bytes. */
struct UpdateScalars {
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  /** learning rate / (1 - beta1^t) */
  float step_size;
  /** sqrt(1 - beta2^t) */
  float root_correction2;
  float epsilon;
  /** 1 - learning rate * weight decay */
  float decay;
};
