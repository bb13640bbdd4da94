/** A scale: the size at which all experiments are run. */
import type { PresetModel } from "../../model/presets.ts";
import type { EvaluationSpecification, OptimizerSpecification } from "../run/run.ts";

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

/** Weights of families of embedded text (docs/data.md), by their names. */
export type FamilyWeights = Readonly<Record<string, number>>;

/**
 * Where a scale's text comes from when the user brings none: packages from npm, or two datasets of Hugging Face. `npm`
 * is the mix of versions up to 0.3, three quarters of one family and a quarter of another.
 */
export type ScaleData =
  | { readonly kind: "npm"; readonly tokenizer: "bytes" }
  | {
    readonly kind: "embedded";
    readonly tokenizer: "bytes";
    /** the heaviest is the main family, whose share of a mix is the mix's overlap */
    readonly upstream: FamilyWeights;
    /** name of the mix that arms with the corpus `downstream` are trained on */
    readonly downstream: string;
    /** what downstream may be, by names that arms use as their corpus */
    readonly mixes: Readonly<Record<string, FamilyWeights>>;
  }
  | {
    readonly kind: "huggingface";
    readonly tokenizer: "gpt-neox-20b";
    readonly upstream: UpstreamDataset;
    readonly downstream: DownstreamDataset;
    /** names of mixes that arms may use, whose files the user brings */
    readonly mixes?: readonly string[];
  };

/** The Pile. */
export interface UpstreamDataset {
  /** `owner/name` on the hub */
  readonly dataset: string;
  /** `owner/name` of its validation split, where that lies by itself */
  readonly validation?: string;
  /** its deduplicated version, which the reading `pile=deduplicated` takes */
  readonly deduplicated?: string;
}

/** SlimPajama. */
export interface DownstreamDataset {
  /** `owner/name` on the hub */
  readonly dataset: string;
  /** domains that the mixture leaves out, by `meta.redpajama_set_name` */
  readonly leftOut?: readonly string[];
}

/** Where continued training gets its model: from this plan's own pre-training, or from checkpoints that others made. */
export type ScaleStart =
  | { readonly kind: "train" }
  | {
    readonly kind: "huggingface";
    /** `owner/name` on the hub; its revision `stepN` is the model after N steps of pre-training */
    readonly model: string;
    /** the model trained on the deduplicated Pile, which the reading `pile=deduplicated` takes */
    readonly deduplicated?: string;
  }
  /** the user's own; never in a scale's file */
  | { readonly kind: "files" };

/** A scale of `experiments/scales`, its model resolved to a shape. */
export interface Scale {
  /** that of its file, such as `tiny` */
  readonly name: string;
  /** one sentence for people */
  readonly summary: string;
  /** shape and own maximum learning rate, which arms give multiples of */
  readonly model: PresetModel;
  /** further models, by the names that arms have for them; windows and vocabulary are those of `model` */
  readonly models?: Readonly<Record<string, PresetModel>>;
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
  /** as many at most where claims look, with losses by document; absent as in earlier versions: no more than elsewhere */
  readonly landmarkWindows?: number;
  /** the scale's own text */
  readonly data: ScaleData;
  /** which model is continued; one trained here if absent */
  readonly start?: ScaleStart;
  /** what of the file was replaced for a smaller or otherwise changed run, as options say it: `tokens 2000000` */
  readonly changes?: readonly string[];
}
