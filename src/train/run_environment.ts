/** What a run is trained with, and what training tells. */
import type { Session } from "../engine/engine.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import type { CurvePoint } from "../results/curves.ts";
import type { Conditions } from "./conditions.ts";
import type { Deadline } from "./deadline.ts";
import type { Corpora, ValidationSets } from "./evaluation/evaluation.ts";
import type { TrainerFacts } from "./folder/trained_by.ts";
import type { FindParent, ParentState, StartSources } from "./start/initial_state.ts";

/** What training tells whoever watches. */
export interface RunProgress {
  /** the run in training */
  readonly run: PlannedRun;
  /** optimizer steps done */
  readonly step: number;
  /** loss of the last batch, nats a token; absent before the first */
  readonly loss?: number;
  /** the newest evaluation, if this step made one */
  readonly point?: CurvePoint;
}

/** What a run is trained with. */
export interface RunEnvironment extends StartSources {
  /** the runs whose checkpoints it starts from, if it does */
  readonly parent?: FindParent<keyof ParentState>;
  readonly session: Session;
  /** what the engine's bits depend on besides the run's key, if anything */
  readonly conditions?: Conditions;
  /** resume even where a checkpoint was computed under other conditions */
  readonly acceptOtherConditions?: boolean;
  readonly corpora: Corpora;
  readonly validations: ValidationSets;
  /** the plan's output folder */
  readonly output: string;
  /** aborted: stop after the current step, with a checkpoint */
  readonly signal?: AbortSignal;
  /** the end of the job, before which the run stops with a checkpoint */
  readonly deadline?: Deadline;
  /** who trains, for the notes of the run */
  readonly trainer?: TrainerFacts;
  /** called before anything is written that lasts; throws if the run is no longer this process's */
  readonly requireHeld?: () => Promise<void>;
  /**
   * reads every checkpoint before the one that is resumed from, since the folder is known to contradict itself. Else
   * they are vouched for by the digests taken when they were written, and looked at before anything is signed
   */
  readonly isDoubtful?: boolean;
  readonly onProgress?: (progress: RunProgress) => void;
  /** something the user should know, such as a damaged checkpoint that was passed over */
  readonly onWarning?: (message: string) => void;
}

/** Thrown when a run stopped because it was asked to; a checkpoint is on the disk. */
export class Interrupted extends Error {
  /** for programs that cannot use `instanceof` */
  override readonly name = "Interrupted";

  /**
   * Its message names the step and the run.
   *
   * @param label the run's name in the plan
   * @param step optimizer steps done
   */
  constructor(readonly label: string, readonly step: number) {
    super(`Stopped at step ${step} of run "${label}"`);
  }
}
