/** Runs one by one on one engine, each under its lock, whoever decides on their order. */
import type { Engine } from "../engine/engine.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import type { LeaseEnd } from "../locks/lease.ts";
import type { RunLock } from "../locks/run_lock.ts";
import type { RunOrigin } from "../manifest/format/run.ts";
import { conditionsOf } from "./conditions.ts";
import type { Deadline } from "./deadline.ts";
import { corporaOf, type PlanCorpora, ValidationSets } from "./evaluation/evaluation.ts";
import type { FinishedRuns } from "./folder/finished_runs.ts";
import type { OpenImported } from "./checkpoint/imported_weights.ts";
import { ParentFlaw, parentInFolder } from "./start/parent_folder.ts";
import { RunFolder, type RunRecord } from "./folder/run_folder.ts";
import { SessionPool } from "./session_pool.ts";
import { type ParentOutcome, skipReason } from "./folder/skip_reason.ts";
import type { TrainerFacts } from "./folder/trained_by.ts";
import { trainRun } from "./train_run.ts";
import { Interrupted, type RunProgress } from "./run_environment.ts";

/** A planned run that is done. */
export interface DoneRun {
  /** as it stands in the plan */
  readonly run: PlannedRun;
  /** it has left a journal, a curve and checkpoints */
  readonly kind: "trained";
  /** what it left */
  readonly record: RunRecord;
  /** what this process did for it */
  readonly origin: RunOrigin;
  /** optimizer steps that this process took from the folder: 0 of a run that it trained, all of one that it found */
  readonly foundSteps: number;
}

/** What became of a planned run. */
export type RunResult =
  | DoneRun
  | { readonly run: PlannedRun; readonly kind: "skipped"; readonly reason: string };

/** How runs are trained. */
export interface RunTrainerOptions {
  readonly engine: Engine;
  readonly corpora: PlanCorpora;
  /** the plan's output folder; each run gets `runs/<label>` below it */
  readonly output: string;
  readonly files?: FileSystem;
  /** what is known of runs that are done */
  readonly finished: FinishedRuns;
  /** weights that others trained, for runs that start from them */
  readonly imported?: OpenImported;
  /** resume runs that were computed under other conditions (`Engine.conditions`) */
  readonly acceptOtherConditions?: boolean;
  /** this machine, for the notes of runs */
  readonly trainer?: TrainerFacts;
  /** aborted: stop after the current step, with a checkpoint */
  readonly signal?: AbortSignal;
  /** the end of the job */
  readonly deadline?: Deadline;
  readonly onProgress?: (progress: RunProgress) => void;
  readonly onWarning?: (message: string) => void;
}

/** Trains runs. Close it to stop the engine's threads. */
export class RunTrainer implements Disposable {
  readonly #pool: SessionPool;
  readonly #validations: ValidationSets;

  constructor(private readonly options: RunTrainerOptions) {
    this.#pool = new SessionPool(options.engine);
    this.#validations = new ValidationSets();
  }

  /**
   * Trains a run, or what is left of it, and lets go of its lock. A record that somebody left meanwhile is taken.
   *
   * @param lock of this run
   * @param parents the runs that it starts from; done up to there
   * @param flaw in what the folder contradicts itself, where it does: every checkpoint is then looked at
   * @throws {Interrupted} when it is asked to stop
   * @throws {ParentFlaw} if the parent's checkpoint is not what its record says
   */
  async train(run: PlannedRun, lock: RunLock, parents: readonly DoneRun[], flaw?: string): Promise<DoneRun> {
    const { onWarning, finished } = this.options;
    let end: LeaseEnd = { kind: "stopped" };
    try {
      const found = await finished.find(run);
      const contradiction = flaw ?? (found.kind === "contradictory" ? found.flaw : undefined);
      if (found.kind === "finished" && flaw === undefined) {
        const { record } = found;
        end = { kind: "done" };
        return { run, kind: "trained", record, origin: "found", foundSteps: record.steps };
      }
      if (contradiction !== undefined) {
        onWarning?.(
          `Run "${run.label}" is not taken as it lies in the folder, and is trained again from its newest good ` +
            `checkpoint: ${contradiction}`,
        );
      }
      finished.forget(run);
      const done = await this.#train(run, lock, parents, contradiction !== undefined);
      end = { kind: "done" };
      return done;
    } catch (error) {
      if (!(error instanceof Interrupted || error instanceof ParentFlaw)) {
        end = { kind: "failed", reason: reasonOf(error) };
      }
      throw error;
    } finally {
      await lock.release(end);
    }
  }

  async #train(run: PlannedRun, lock: RunLock, parents: readonly DoneRun[], isDoubtful: boolean): Promise<DoneRun> {
    const { engine, output, files = DENO_FILES, imported, signal, deadline, trainer, onWarning } = this.options;
    const { evaluation } = run.specification;
    const session = await this.#pool.get(run);
    const corpora = corporaOf(this.options.corpora, run.specification);
    await this.#validations.get(corpora, evaluation); // too few windows are found out before training
    const { record, resumedAt } = await trainRun(run, new RunFolder(output, run.label, files), {
      session,
      corpora,
      validations: this.#validations,
      output,
      requireHeld: () => lock.requireHeld(),
      isDoubtful,
      conditions: conditionsOf(engine, session),
      acceptOtherConditions: this.options.acceptOtherConditions,
      parent: (start) => {
        const parent = parents.find(({ run }) => run.key === start.run)?.run;
        return parent && parentInFolder(parent, new RunFolder(output, parent.label, files), start.step);
      },
      imported,
      signal,
      deadline,
      trainer,
      onProgress: (progress) => {
        lock.tell(progress.step, progress.loss);
        this.options.onProgress?.(progress);
      },
      onWarning,
    });
    // A run of no steps, which is only evaluated, is done from the start without having been found.
    const lacksOnlyRecord = record.outcome.kind === "completed" && resumedAt === record.steps;
    const origin = resumedAt === 0 ? "trained" : lacksOnlyRecord ? "found" : "resumed";
    return { run, kind: "trained", record, origin, foundSteps: resumedAt };
  }

  /** Stops the engine's threads. */
  close(): void {
    this.#pool.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Why a run is not trained, by what became of the runs that it starts from; undefined if it is.
 *
 * @param parents those of them that are known
 */
export function reasonToSkip({ specification }: PlannedRun, parents: readonly RunResult[]): string | undefined {
  return startsOf(specification.initialWeights).map(({ run: key, step }) => {
    const parent = parents.find(({ run }) => run.key === key);
    return parent === undefined ? undefined : skipReason(outcomeOf(parent), step);
  }).find((reason) => reason !== undefined);
}

function outcomeOf(result: RunResult): ParentOutcome {
  const { label } = result.run;
  if (result.kind === "skipped") return { label, outcome: "skipped", steps: 0 };
  return { label, outcome: result.record.outcome.kind, steps: result.record.steps };
}

/** An error in words, for whoever asks how the run is. */
function reasonOf(error: unknown): string {
  if (error instanceof UserError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
