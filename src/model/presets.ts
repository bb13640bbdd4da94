/** Shapes of the published Pythia models (EleutherAI, trained with GPT-NeoX). */
import type { ModelConfig } from "./config.ts";

/** Name of a preset. */
export type ModelPreset =
  | "pythia-14m"
  | "pythia-31m"
  | "pythia-70m"
  | "pythia-160m"
  | "pythia-410m"
  | "pythia-1b"
  | "pythia-1.4b"
  | "pythia-2.8b"
  | "pythia-6.9b";

/** Names of the presets, the smallest first. */
export const MODEL_PRESETS: readonly ModelPreset[] = [
  "pythia-14m",
  "pythia-31m",
  "pythia-70m",
  "pythia-160m",
  "pythia-410m",
  "pythia-1b",
  "pythia-1.4b",
  "pythia-2.8b",
  "pythia-6.9b",
];

/** A preset's shape, and the maximum learning rate it was pre-trained with. */
export interface PresetModel {
  /** shape, with its window length */
  readonly config: ModelConfig;
  /** rate that the published model was pre-trained with */
  readonly maxLearningRate: number;
}

function pythia(
  layers: number,
  hiddenSize: number,
  heads: number,
  maxLearningRate: number,
  vocabularySize = 50304, // the tokenizer's 50,277, padded
): PresetModel {
  return {
    config: {
      hiddenSize,
      layers,
      heads,
      intermediateSize: 4 * hiddenSize,
      vocabularySize,
      sequenceLength: 2048,
      rotaryFraction: 0.25,
      rotaryBase: 10000,
      layerNormEpsilon: 1e-5,
    },
    maxLearningRate,
  };
}

const PRESETS: Readonly<Record<ModelPreset, PresetModel>> = {
  "pythia-14m": pythia(6, 128, 4, 1e-3),
  "pythia-31m": pythia(6, 256, 8, 1e-3),
  "pythia-70m": pythia(6, 512, 8, 1e-3),
  "pythia-160m": pythia(12, 768, 12, 6e-4),
  "pythia-410m": pythia(24, 1024, 16, 3e-4),
  "pythia-1b": pythia(16, 2048, 8, 3e-4),
  "pythia-1.4b": pythia(24, 2048, 16, 2e-4),
  "pythia-2.8b": pythia(32, 2560, 32, 1.6e-4),
  "pythia-6.9b": pythia(32, 4096, 32, 1.2e-4, 50432), // padded for two-way tensor parallelism
};

/**
 * A Pythia model's shape and maximum learning rate.
 *
 * @example
 * ```ts
 * import { parameterCount } from "./config.ts";
 * import { presetModel } from "./presets.ts";
 *
 * console.log(parameterCount(presetModel("pythia-14m").config)); // 14067712
 * ```
 */
export function presetModel(name: ModelPreset): PresetModel {
  return PRESETS[name];
}
