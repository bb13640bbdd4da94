/**
 * GPT-NeoX in TensorFlow.js operations, which TensorFlow.js differentiates. B sequences, T tokens, N = B · T, h hidden
 * size, V words. Weights of projections have the shape (out, in), as in checkpoints.
 */
import type { ModelConfig } from "../../model/config.ts";
import { rotaryHalf, rotaryTables } from "../ordered/rotary_tables.ts";
import type { Tensor, TensorFlow } from "./api.ts";
import type { Operations } from "./operations.ts";

/** A model's tensors by Hugging Face's names. */
export type Parameters = ReadonlyMap<string, Tensor>;

/** Added to the scores of masked pairs: e to this is 0 in f32, whatever the other scores are. */
const MASKED = -1e9;

/** The forward pass of a model. Everything but the constants is the caller's to dispose of: call it in `tidy`. */
export class TensorFlowModel {
  readonly #tf: TensorFlow;
  readonly #config: ModelConfig;
  readonly #operations: Operations;
  /** rotary tables, (T, 1, half) */
  readonly #cosines: Tensor;
  readonly #sines: Tensor;
  /** 0 on and below the diagonal, {@linkcode MASKED} above (T, T) */
  readonly #mask: Tensor;

  constructor(tf: TensorFlow, config: ModelConfig, operations: Operations) {
    this.#tf = tf;
    this.#config = config;
    this.#operations = operations;
    const { sequenceLength: length } = config;
    const half = rotaryHalf(config);
    const { cosines, sines } = rotaryTables(config);
    this.#cosines = tf.tensor(cosines, [length, 1, half], "float32");
    this.#sines = tf.tensor(sines, [length, 1, half], "float32");
    const mask = new Float32Array(length * length);
    for (let row = 0; row < length; row++) mask.fill(MASKED, row * length + row + 1, (row + 1) * length);
    this.#mask = tf.tensor(mask, [length, length], "float32");
  }

  /** Gives the constants back. */
  dispose(): void {
    for (const constant of [this.#cosines, this.#sines, this.#mask]) constant.dispose();
  }

  /** Cross-entropy of every token, nats: inputs and targets int32 (N) → (N). */
  losses(parameters: Parameters, inputs: Tensor, targets: Tensor): Tensor {
    const labels = this.#operations.oneHot(targets, this.#config.vocabularySize);
    return this.#tf.losses.softmaxCrossEntropy(labels, this.logits(parameters, inputs), undefined, 0, 0);
  }

  /** Input ids int32 (N) → logits (N, V). */
  logits(parameters: Parameters, inputs: Tensor): Tensor {
    const tf = this.#tf;
    const take = (name: string): Tensor => {
      const tensor = parameters.get(name);
      if (tensor === undefined) throw new Error(`No tensor "${name}"`);
      return tensor;
    };
    let residual = this.#operations.embed(take("gpt_neox.embed_in.weight"), inputs); // (N, h)
    for (let layer = 0; layer < this.#config.layers; layer++) {
      const prefix = `gpt_neox.layers.${layer}`;
      const norm = (name: string) =>
        this.#layerNorm(residual, take(`${prefix}.${name}.weight`), take(`${prefix}.${name}.bias`));
      const linear = (x: Tensor, name: string) =>
        tf.add(
          this.#operations.multiplyTransposed(x, take(`${prefix}.${name}.weight`)),
          take(`${prefix}.${name}.bias`),
        );
      const fused = linear(norm("input_layernorm"), "attention.query_key_value"); // (N, 3h)
      const attention = linear(this.#attend(fused), "attention.dense");
      const hidden = this.#gelu(linear(norm("post_attention_layernorm"), "mlp.dense_h_to_4h"));
      residual = tf.addN([residual, attention, linear(hidden, "mlp.dense_4h_to_h")]);
    }
    const name = "gpt_neox.final_layer_norm";
    const final = this.#layerNorm(residual, take(`${name}.weight`), take(`${name}.bias`));
    return this.#operations.multiplyTransposed(final, take("embed_out.weight"));
  }

  /** Rows of (N, h) to mean 0 and variance 1, times the gain, plus the bias. */
  #layerNorm(x: Tensor, gain: Tensor, bias: Tensor): Tensor {
    const tf = this.#tf;
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centered), -1, true);
    const normalized = tf.mul(centered, tf.rsqrt(tf.add(variance, tf.scalar(this.#config.layerNormEpsilon))));
    return tf.add(tf.mul(normalized, gain), bias);
  }

  #gelu(x: Tensor): Tensor {
    const tf = this.#tf;
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), tf.scalar(1)));
  }

  /** Causal attention: fused queries, keys and values (N, 3h), each head's three side by side → (N, h). */
  #attend(fused: Tensor): Tensor {
    const tf = this.#tf;
    const { heads, hiddenSize, sequenceLength } = this.#config;
    const size = hiddenSize / heads;
    const tokens = fused.shape[0] ?? 0;
    const batch = tokens / sequenceLength;
    const byHead = tf.reshape(fused, [batch, sequenceLength, heads, 3 * size]);
    const part = (index: number) => tf.slice(byHead, [0, 0, 0, index * size], [-1, -1, -1, size]);
    const headsFirst = (x: Tensor) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * heads, sequenceLength, size]);

    const query = headsFirst(this.#rotate(part(0)));
    const key = headsFirst(this.#rotate(part(1)));
    const value = headsFirst(part(2));
    const scores = tf.mul(this.#operations.multiplyTransposed(query, key), 1 / Math.sqrt(size)); // (B · heads, T, T)
    const output = this.#operations.multiply(tf.softmax(tf.add(scores, this.#mask)), value);
    const tokensFirst = tf.transpose(tf.reshape(output, [batch, heads, sequenceLength, size]), [0, 2, 1, 3]);
    return tf.reshape(tokensFirst, [tokens, hiddenSize]);
  }

  /** Turns pairs (i, i + half) of the first dimensions by their position: (B, T, heads, d). */
  #rotate(x: Tensor): Tensor {
    const tf = this.#tf;
    const half = rotaryHalf(this.#config);
    const rest = (x.shape[3] ?? 0) - 2 * half;
    const dimensions = (first: number, count: number) => tf.slice(x, [0, 0, 0, first], [-1, -1, -1, count]);
    const a = dimensions(0, half), b = dimensions(half, half);
    const turnedA = tf.sub(tf.mul(a, this.#cosines), tf.mul(b, this.#sines));
    const turnedB = tf.add(tf.mul(b, this.#cosines), tf.mul(a, this.#sines));
    return tf.concat(rest === 0 ? [turnedA, turnedB] : [turnedA, turnedB, dimensions(2 * half, rest)], 3);
  }
}
