/** Shape of a GPT-NeoX model as Pythia has it, with the parameter and FLOP counts that follow from it. */

/** Everything that determines a model's parameters and its forward pass. */
export interface ModelConfig {
  /** width of the residual stream, h */
  readonly hiddenSize: number;
  /** number of transformer layers, L */
  readonly layers: number;
  /** number of attention heads; `hiddenSize / heads` is the head dimension */
  readonly heads: number;
  /** width of the MLP, 4h in Pythia */
  readonly intermediateSize: number;
  /** rows of the embedding and of the output head, padded */
  readonly vocabularySize: number;
  /** tokens in a window, T */
  readonly sequenceLength: number;
  /** share of each head's dimension that is rotated: 0.25 in Pythia */
  readonly rotaryFraction: number;
  /** base of the rotary frequencies: 10000 */
  readonly rotaryBase: number;
  /** ε of every LayerNorm: 1e-5 */
  readonly layerNormEpsilon: number;
}

/** Number of trainable parameters: per layer 12h² + 13h for a 4h MLP, 2h for the final LayerNorm, 2Vh embeddings. */
export function parameterCount(config: ModelConfig): number {
  return nonEmbeddingParameterCount(config) + 2 * config.vocabularySize * config.hiddenSize;
}

/** Parameters without the input embedding and the output head, as Pythia's table counts them. */
export function nonEmbeddingParameterCount(config: ModelConfig): number {
  const { hiddenSize: h, intermediateSize: m, layers } = config;
  const layerNorms = 4 * h;
  const attention = 3 * h * h + 3 * h + h * h + h;
  const mlp = 2 * h * m + m + h;
  return layers * (layerNorms + attention + mlp) + 2 * h;
}

/**
 * Floating-point operations a token, forward and backward: 3 · (2 · (matrix parameters) + attention).
 *
 * @param attention `"full"` counts the whole score square, `"causal"` the half that is needed
 */
export function flopsPerToken(config: ModelConfig, attention: "full" | "causal" = "full"): number {
  const { hiddenSize: h, intermediateSize: m, layers, vocabularySize, sequenceLength } = config;
  const matrices = layers * (4 * h * h + 2 * h * m) + vocabularySize * h;
  const scores = 4 * sequenceLength * h * layers * (attention === "causal" ? 0.5 : 1);
  return 3 * (2 * matrices + scores);
}
