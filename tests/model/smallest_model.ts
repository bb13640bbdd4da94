/** The smallest model that the kernels cover: one layer, one head, 8 of everything. */
import type { ModelConfig } from "../../src/model/config.ts";

/** See above. */
export const SMALLEST_MODEL: ModelConfig = {
  hiddenSize: 8,
  layers: 1,
  heads: 1,
  intermediateSize: 8,
  vocabularySize: 8,
  sequenceLength: 8,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};
