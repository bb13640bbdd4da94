/** A run: everything that determines its bits, and the content key made of it. */
import type { Digest } from "../../digest/sha256.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { PenaltySpecification } from "./penalty.ts";
import type { ReplaySpecification } from "./replay.ts";
import type { ScheduleSpecification } from "../../schedule/specification.ts";

/** Digest of a {@linkcode RunSpecification} in canonical JSON: same key, same bits. */
export type RunKey = Digest & { readonly "~runKey": true };

/** The two corpora of the paper: the one before the shift and the one after it. */
export type CorpusName = "upstream" | "downstream";

/** How strictly an engine's bits are promised. */
export type DeterminismLevel = "machine_to_machine" | "run_to_run" | "not_guaranteed";

/** AdamW with decoupled weight decay on matrices only, and clipping by the global norm. */
export interface OptimizerSpecification {
  /** decay of the first moment a step */
  readonly beta1: number;
  /** decay of the second moment a step */
  readonly beta2: number;
  /** added to the root of the second moment */
  readonly epsilon: number;
  /** share of a matrix taken off a step, times the learning rate */
  readonly weightDecay: number;
  /** the gradient is scaled down to this L2 norm */
  readonly gradientClip: number;
}

/** A run of the same plan after some of its steps. */
export interface RunCheckpoint {
  /** of the run that is continued */
  readonly run: RunKey;
  /** optimizer steps done */
  readonly step: number;
}

/** Weights that somebody else trained. */
export interface ImportedStart {
  /** tells the starts apart */
  readonly kind: "imported";
  /** SHA-256 of all weights as f32, little-endian, flat in the order of `parameterShapes` */
  readonly weights: Digest;
  /** steps of pre-training that they are said to have had */
  readonly step: number;
}

/** Where a run's weights come from. Optimizer moments start at zero unless it is said that they are carried on. */
export type InitialWeights =
  | { readonly kind: "random"; readonly seed: number }
  | (RunCheckpoint & {
    readonly kind: "checkpoint";
    /** Adam's moments and count of updates go on from the checkpoint too */
    readonly optimizerState?: "carried";
  })
  | ImportedStart
  | {
    /** a point on the line between two models: `from` + `fraction` · (`to` − `from`), each weight rounded once to f32 */
    readonly kind: "interpolation";
    readonly from: (RunCheckpoint & { readonly kind: "checkpoint" }) | ImportedStart;
    readonly to: RunCheckpoint;
    /** above 0 and below 1 */
    readonly fraction: number;
  };

/** Everything that determines the bits of a run, and nothing that does not. */
export interface RunSpecification {
  /** shape of the model, window length included */
  readonly model: ModelConfig;
  /** drawn anew, or those of another run's checkpoint */
  readonly initialWeights: InitialWeights;
  /** the corpus trained on, its name and the digest of everything that makes its token stream */
  readonly corpus: {
    readonly name: CorpusName;
    readonly digest: Digest;
    /** which mix stands for the downstream corpus, in training and validation, if not the scale's own */
    readonly mix?: string;
  };
  /** windows of the upstream corpus, by its digest under `validation`, in place of some; absent: none */
  readonly replay?: ReplaySpecification;
  /** digests of both corpora: both validation sets are evaluated */
  readonly validation: { readonly upstream: Digest; readonly downstream: Digest };
  /** seed of the order of windows */
  readonly orderSeed: number;
  /** learning rate of every step */
  readonly schedule: ScheduleSpecification;
  /** SHA-256 of the schedule's f32 table over `totalSteps`, little-endian */
  readonly scheduleDigest: Digest;
  /** decay, moments and clipping, the same at every step */
  readonly optimizer: OptimizerSpecification;
  /** on the distance from the initial weights; absent: none */
  readonly penalty?: PenaltySpecification;
  /** sequences in an optimizer step, B */
  readonly batchSequences: number;
  /** sequences in a gradient block (docs/arithmetic.md); divides `batchSequences` */
  readonly gradientBlockSequences: number;
  /** when validation losses are taken, and on how many windows */
  readonly evaluation: EvaluationSpecification;
  /** a checkpoint is due every so many steps, and at the evaluation's landmarks */
  readonly checkpointInterval: number;
  /** what computes: other arithmetic gives other bits */
  readonly engine: {
    /** how strictly the bits are promised */
    readonly level: DeterminismLevel;
    /** version of docs/arithmetic.md, or the engine's own name and version below `machine_to_machine` */
    readonly arithmetic: string;
  };
}

/**
 * When the two validation sets are evaluated: every `denseInterval` steps up to `denseUntilStep`, every `interval`
 * steps after it, at the landmarks, and at step 0 and the last step (src/experiment/run/evaluation.ts). A function of the
 * step alone, so that a run's prefix has the prefix of its curve; the landmarks include the end of every arm.
 */
export interface EvaluationSpecification {
  /** validation windows of each corpus */
  readonly windows: number;
  /** steps between evaluations after `denseUntilStep` */
  readonly interval: number;
  /** steps between evaluations up to `denseUntilStep` */
  readonly denseInterval: number;
  /** last step of the dense part, where losses move fastest */
  readonly denseUntilStep: number;
  /**
   * validation windows of each corpus at the start and at landmarks, as many at most: all of them where there are no more.
   * Absent in earlier versions: then losses are kept neither by document nor by domain
   */
  readonly landmarkWindows?: number;
  /** further steps, ascending: the paper's 50, 100, 150, 200, 240 and 297B tokens at this scale */
  readonly landmarks: readonly number[];
}

/** A run as the plan holds it: its specification and what of it the experiments need. */
export interface PlannedRun {
  /** digest of the specification */
  readonly key: RunKey;
  /** what determines its bits */
  readonly specification: RunSpecification;
  /** optimizer steps to train: the largest any experiment asks for; 0 where a start is only evaluated */
  readonly steps: number;
  /** steps whose checkpoints other runs start from, ascending; the last step is always kept */
  readonly checkpointSteps: readonly number[];
  /** readable name, unique in the plan, safe as a folder name: `warmup-length_1%_seed-0` */
  readonly label: string;
  /** every arm of an experiment that reads this run */
  readonly usedBy: readonly ArmReference[];
}

/** One arm of one experiment at one seed. */
export interface ArmReference {
  /** such as `max-learning-rate` */
  readonly experiment: string;
  /** such as `2x` */
  readonly arm: string;
  /** repetition, from 0 */
  readonly seedIndex: number;
  /** steps of the run that this arm looks at */
  readonly steps: number;
}
