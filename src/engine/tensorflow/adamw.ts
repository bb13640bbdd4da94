/** Clipping and AdamW of docs/arithmetic.md §6 in tensor operations: decoupled decay, f32 throughout. */
import type { UpdateScalars } from "../ordered/update_scalars.ts";
import type { Tensor, TensorFlow, Variable } from "./api.ts";

/** A tensor in training, with its moments. */
export interface TrainedTensor {
  readonly weight: Variable;
  readonly firstMoment: Variable;
  readonly secondMoment: Variable;
  /** whether weight decay applies */
  readonly decayed: boolean;
}

/** Sum of the squares of all elements: a scalar. */
export function sumOfSquares(tf: TensorFlow, tensors: readonly Tensor[]): Tensor {
  // Not addN: on WebGPU it binds more buffers at once than a device has to allow.
  return tf.tidy(() => tf.sum(tf.stack(tensors.map((tensor) => tf.sum(tf.square(tensor))))));
}

/** One update of one tensor by the mean gradient of its step, before clipping. */
export function updateTensor(
  tf: TensorFlow,
  { weight, firstMoment, secondMoment, decayed }: TrainedTensor,
  gradient: Tensor,
  { clip, beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rootCorrection2, epsilon, decay }: UpdateScalars,
): void {
  tf.tidy(() => {
    const g = tf.mul(gradient, clip);
    const m = tf.add(tf.mul(firstMoment, beta1), tf.mul(g, oneMinusBeta1));
    const v = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.mul(g, oneMinusBeta2), g));
    const denominator = tf.add(tf.div(tf.sqrt(v), rootCorrection2), tf.scalar(epsilon));
    const kept = decayed ? tf.mul(weight, decay) : weight;
    firstMoment.assign(m);
    secondMoment.assign(v);
    weight.assign(tf.sub(kept, tf.mul(tf.div(m, denominator), stepSize)));
  });
}
