/** What a reproduction is asked for, what it tells on the way, and what comes of it. */
import type { CorpusFiles, DataProgress } from "../data/options.ts";
import type { ExperimentFolders } from "../experiment/catalogue.ts";
import type { ScaleChanges } from "../experiment/scale/change_scale.ts";
import type { Readings } from "../experiment/readings.ts";
import type { StartChoice } from "../experiment/arm/start.ts";
import type { Engine, EngineDescription } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { FileSystem } from "../files/file_system.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import type { Verdict } from "../results/claims.ts";
import type { ComparisonRow } from "../results/compare_numbers.ts";
import type { Estimate } from "../results/estimates/estimate.ts";
import type { RunResult } from "../train/train_plan.ts";
import type { RunProgress } from "../train/run_environment.ts";
import type { Calibration } from "./calibrate.ts";
import type { RetrainCount, RetrainFoundEvents } from "./retrain_found.ts";

/** What to reproduce, and how. */
export interface ReproduceOptions extends ExperimentFolders {
  /** name of a file in `experiments/scales` */
  readonly scale: string;
  /** what trains; only `machine_to_machine` engines promise the same bits elsewhere */
  readonly engine: Engine;
  /** threads of the engine, for the manifest */
  readonly threads: number;
  /** experiments or arms; all if absent */
  readonly only?: readonly string[];
  /** repetitions with other seeds; default 1 */
  readonly seeds?: number;
  /** another model, or less of everything */
  readonly changes?: ScaleChanges;
  /** how the paper's open points are read; the likelier reading where nothing is chosen */
  readonly readings?: Readings;
  /** `"train"` to pre-train, or the path of models to start from; what the scale says if absent */
  readonly start?: StartChoice;
  /** files to train on in place of the scale's own data */
  readonly files?: CorpusFiles;
  /** paths of the files that make a mix, a further corpus that arms name, by its name */
  readonly mixFiles?: Readonly<Record<string, readonly string[]>>;
  /** the lockfile that data and models are checked against; the project's own if absent */
  readonly lockFile?: string;
  /** folder of downloads; `.cache/hub` if absent */
  readonly hubCache?: string;
  /** output folder */
  readonly output: string;
  /** the files that the output folder stands on; the machine's own if absent */
  readonly fileSystem?: FileSystem;
  /** resume runs that were computed under other conditions (`Engine.conditions`); the manifest says so */
  readonly acceptOtherConditions?: boolean;
  /** trains so many segments again, before anything is signed, that lay in the folder; none if absent */
  readonly retrain?: RetrainCount;
  /** folder of prepared corpora */
  readonly dataCache?: string;
  /**
   * Called when the folder has its plan, before anything is trained: what it throws ends it there.
   *
   * @param rules text of the file of rules that will judge
   * @param files that the output folder stands on
   */
  readonly beforeTraining?: (rules: string, files: FileSystem) => Promise<void>;
  /** gives the key; asked before training starts */
  readonly signingKey: () => Promise<SigningKey>;
  /** the command as it was given, for the manifest */
  readonly command?: readonly string[];
  /** aborted: stop after the current step, with a checkpoint */
  readonly signal?: AbortSignal;
  /** told on the way; errors that they throw end the reproduction */
  readonly events?: ReproduceEvents;
}

/** What a plan is written with that others carry out: an engine that need not be started. */
export interface PlanningOptions extends Omit<ReproduceOptions, "engine" | "signingKey"> {
  readonly engine: EngineDescription;
}

/** What happens on the way, for whoever shows it. */
export interface ReproduceEvents extends RetrainFoundEvents {
  /** sources are read, hashed or tokenised */
  readonly onData?: (progress: DataProgress) => void;
  /** the plan is fixed and the machine's speed measured, which is done for this only; training starts next */
  readonly onPlan?: (plan: Plan, calibration: Calibration) => void;
  /** every few optimizer steps, and at every evaluation */
  readonly onProgress?: (progress: RunProgress) => void;
  /** a run is done, was done before, or is skipped */
  readonly onRun?: (result: RunResult) => void;
  /** something the user should know, in a whole sentence */
  readonly onWarning?: (message: string) => void;
}

/** What came of it. */
export interface Reproduction {
  /** what was trained */
  readonly plan: Plan;
  /** one a run, in the order of the plan */
  readonly results: readonly RunResult[];
  /** one a claim, in the order of the experiments */
  readonly verdicts: readonly Verdict[];
  /** numbers that answer open questions; empty where the experiments ask none */
  readonly estimates: readonly Estimate[];
  /** the paper's numbers beside ours */
  readonly comparisons: readonly ComparisonRow[];
  /** the signed manifest, in the output folder */
  readonly manifestPath: string;
  /** the report, one self-contained HTML page */
  readonly reportPath: string;
}
