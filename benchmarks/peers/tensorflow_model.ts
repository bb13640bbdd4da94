/** GPT-NeoX in TensorFlow.js operations; TensorFlow.js differentiates it. B sequences, T tokens, N = B · T, V words. */
import { cos, exp, log, sin } from "../../src/arithmetic/elementary.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { Tensor, TensorFlow } from "./tensorflow_api.ts";

/** A model's tensors by Hugging Face's names; weights of projections as (in, out), which TensorFlow.js is faster with. */
export type Parameters = ReadonlyMap<string, Tensor>;

/**
 * Who writes the gradient of a projection. `autodiff`: TensorFlow.js, whose products with a transposed factor run in a
 * plain loop on the WASM backend. `arranged`: by hand, with factors transposed first, so that they reach XNNPACK.
 */
export type ProjectionGradient = "autodiff" | "arranged";

/** Constants of a model, made once. */
interface Constants {
  /** (T, 1, half) */
  readonly cosines: Tensor;
  readonly sines: Tensor;
  /** 0 on and below the diagonal, −10⁹ above (T, T) */
  readonly mask: Tensor;
}

/** The forward pass of a model. */
export class TensorFlowModel {
  readonly #tf: TensorFlow;
  readonly #config: ModelConfig;
  readonly #projectionGradient: ProjectionGradient;
  readonly #constants: Constants;

  constructor(tf: TensorFlow, config: ModelConfig, projectionGradient: ProjectionGradient) {
    this.#tf = tf;
    this.#config = config;
    this.#projectionGradient = projectionGradient;
    this.#constants = { ...this.#rotaryTables(), mask: this.#causalMask() };
  }

  #rotaryTables(): { cosines: Tensor; sines: Tensor } {
    const { sequenceLength, rotaryBase } = this.#config;
    const half = this.#rotaryHalf;
    const angles = Array.from({ length: sequenceLength * half }, (_, at) => {
      const position = Math.floor(at / half), i = at % half;
      return position * exp(-(i / half) * log(rotaryBase));
    });
    const table = (f: (angle: number) => number) =>
      this.#tf.tensor(Float32Array.from(angles, (angle) => f(angle)), [sequenceLength, 1, half], "float32");
    return { cosines: table(cos), sines: table(sin) };
  }

  #causalMask(): Tensor {
    const { sequenceLength: length } = this.#config;
    const mask = Float32Array.from(
      { length: length * length },
      (_, at) => at % length > Math.floor(at / length) ? -1e9 : 0,
    );
    return this.#tf.tensor(mask, [length, length], "float32");
  }

  get #headSize(): number {
    return this.#config.hiddenSize / this.#config.heads;
  }

  get #rotaryHalf(): number {
    return this.#config.rotaryFraction * this.#headSize / 2;
  }

  /** Mean cross-entropy of a batch: inputs and targets int32 (N). */
  loss(parameters: Parameters, inputs: Tensor, targets: Tensor): Tensor {
    const tf = this.#tf;
    const { layers } = this.#config;
    const take = (name: string): Tensor => {
      const tensor = parameters.get(name);
      if (tensor === undefined) throw new Error(`No tensor "${name}"`);
      return tensor;
    };

    let residual = this.#embed(take("gpt_neox.embed_in.weight"), inputs); // (N, h)
    for (let layer = 0; layer < layers; layer++) {
      const prefix = `gpt_neox.layers.${layer}`;
      const norm = (name: string) =>
        this.#layerNorm(residual, take(`${prefix}.${name}.weight`), take(`${prefix}.${name}.bias`));
      const linear = (x: Tensor, name: string) =>
        tf.add(this.#project(x, take(`${prefix}.${name}.weight`)), take(`${prefix}.${name}.bias`));
      const attention = linear(
        this.#attend(linear(norm("input_layernorm"), "attention.query_key_value")),
        "attention.dense",
      );
      const hidden = this.#gelu(linear(norm("post_attention_layernorm"), "mlp.dense_h_to_4h"));
      residual = tf.addN([residual, attention, linear(hidden, "mlp.dense_4h_to_h")]);
    }
    const final = this.#layerNorm(
      residual,
      take("gpt_neox.final_layer_norm.weight"),
      take("gpt_neox.final_layer_norm.bias"),
    );
    const logits = this.#project(final, take("embed_out.weight")); // (N, V)
    return tf.losses.softmaxCrossEntropy(this.#oneHot(targets), logits);
  }

  /** Rows of the table; the gradient as a product with the one-hot matrix, since the backend has no segment sum. */
  #embed(table: Tensor, tokens: Tensor): Tensor {
    const tf = this.#tf;
    return tf.customGrad<[Tensor]>((x) => ({
      value: tf.gather(x, tokens),
      gradFunc: (dy) => tf.matMul(tf.transpose(this.#oneHot(tokens), [1, 0]), dy),
    }))(table);
  }

  /** (N, V) */
  #oneHot(tokens: Tensor): Tensor {
    return this.#tf.cast(this.#tf.oneHot(tokens, this.#config.vocabularySize), "float32");
  }

  /** x (N, in) · W (in, out). */
  #project(x: Tensor, weight: Tensor): Tensor {
    const tf = this.#tf;
    if (this.#projectionGradient === "autodiff") return tf.matMul(x, weight);
    return tf.customGrad<[Tensor, Tensor]>((x, weight, save) => {
      save([x, weight]);
      return {
        value: tf.matMul(x, weight),
        gradFunc: (dy, [x, weight]) => [
          tf.matMul(dy, tf.transpose(weight, [1, 0])),
          tf.matMul(tf.transpose(x, [1, 0]), dy),
        ],
      };
    })(x, weight);
  }

  #layerNorm(x: Tensor, gain: Tensor, shift: Tensor): Tensor {
    const tf = this.#tf;
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centered), -1, true);
    const normalized = tf.mul(centered, tf.rsqrt(tf.add(variance, tf.scalar(this.#config.layerNormEpsilon))));
    return tf.add(tf.mul(normalized, gain), shift);
  }

  #gelu(x: Tensor): Tensor {
    const tf = this.#tf;
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), tf.scalar(1)));
  }

  /** Causal attention: fused queries, keys and values (N, 3h), each head's three side by side → (N, h). */
  #attend(fused: Tensor): Tensor {
    const tf = this.#tf;
    const { heads, hiddenSize, sequenceLength } = this.#config;
    const size = this.#headSize;
    const tokens = fused.shape[0] ?? 0;
    const batch = tokens / sequenceLength;
    const byHead = tf.reshape(fused, [batch, sequenceLength, heads, 3 * size]);
    const part = (index: number) => tf.slice(byHead, [0, 0, 0, index * size], [-1, -1, -1, size]);
    const headsFirst = (x: Tensor) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * heads, sequenceLength, size]);

    const query = headsFirst(this.#rotate(part(0)));
    const key = headsFirst(this.#rotate(part(1)));
    const value = headsFirst(part(2));
    const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(size)); // (B · heads, T, T)
    const output = tf.matMul(tf.softmax(tf.add(scores, this.#constants.mask)), value);
    const tokensFirst = tf.transpose(tf.reshape(output, [batch, heads, sequenceLength, size]), [0, 2, 1, 3]);
    return tf.reshape(tokensFirst, [tokens, hiddenSize]);
  }

  /** Turns pairs (i, i + half) of the first dimensions by their position: (B, T, heads, d). */
  #rotate(x: Tensor): Tensor {
    const tf = this.#tf;
    const half = this.#rotaryHalf;
    const { cosines, sines } = this.#constants;
    const dimensions = (first: number, count: number) => tf.slice(x, [0, 0, 0, first], [-1, -1, -1, count]);
    const a = dimensions(0, half), b = dimensions(half, half);
    const rest = dimensions(2 * half, this.#headSize - 2 * half);
    const turnedA = tf.sub(tf.mul(a, cosines), tf.mul(b, sines));
    const turnedB = tf.add(tf.mul(b, cosines), tf.mul(a, sines));
    return tf.concat([turnedA, turnedB, rest], 3);
  }
}
