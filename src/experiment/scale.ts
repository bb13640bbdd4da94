/** A scale: the size at which all experiments are run. */
import type { PresetModel } from "../model/presets.ts";
import type { EvaluationSpecification, OptimizerSpecification } from "./run.ts";

/** Pre-training, or continued training: its whole horizon, whatever part of it an arm trains. */
export interface Phase {
  /** optimizer steps of the whole horizon */
  readonly steps: number;
  /** sequences in an optimizer step, B */
  readonly batchSequences: number;
  /** optimizer steps between checkpoints */
  readonly checkpointInterval: number;
  /** when the validation sets are evaluated; landmarks follow from the paper's */
  readonly evaluation: Pick<EvaluationSpecification, "interval" | "denseInterval" | "denseUntilStep">;
}

/** Where a scale's text comes from when the user brings none: packages from npm, or two datasets of Hugging Face. */
export type ScaleData =
  | { readonly kind: "npm"; readonly tokenizer: "bytes" }
  | {
    readonly kind: "huggingface";
    readonly tokenizer: "gpt-neox-20b";
    readonly upstream: { readonly dataset: string };
    readonly downstream: { readonly dataset: string };
  };

/** A scale of `experiments/scales`, its model resolved to a shape. */
export interface Scale {
  /** that of its file, such as `tiny` */
  readonly name: string;
  /** one sentence for people */
  readonly summary: string;
  /** shape and own maximum learning rate, which arms give multiples of */
  readonly model: PresetModel;
  /** minimum learning rate as a fraction of the maximum */
  readonly minLearningRateFraction: number;
  /** the same for every run */
  readonly optimizer: OptimizerSpecification;
  /** training from random weights on the upstream corpus */
  readonly pretraining: Phase;
  /** training on the downstream corpus, or on the upstream corpus again */
  readonly continuing: Phase;
  /** sequences in a gradient block (docs/arithmetic.md); divides both batches */
  readonly gradientBlockSequences: number;
  /** validation windows of each corpus in an evaluation */
  readonly evaluationWindows: number;
  /** the scale's own text */
  readonly data: ScaleData;
}
