/** All runs of a plan, each after the run it starts from, on one engine. */
import type { Engine, Session, SessionOptions } from "../engine/engine.ts";
import type { PlannedRun, RunKey } from "../experiment/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { canonicalJson } from "../digest/canonical_json.ts";
import { conditionsOf } from "./conditions.ts";
import { FinishedRuns } from "./finished_runs.ts";
import { corporaOf, type PlanCorpora, ValidationSets } from "./evaluation.ts";
import type { RunOrigin } from "../manifest/format/run.ts";
import { RunFolder, type RunRecord } from "./run_folder.ts";
import { type ParentOutcome, skipReason } from "./skip_reason.ts";
import type { OpenImported } from "./imported_weights.ts";
import { parentInFolder } from "./parent_folder.ts";
import { type RunProgress, trainRun } from "./train_run.ts";

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

/** How a plan is trained. */
export interface TrainPlanOptions {
  readonly runs: readonly PlannedRun[];
  readonly engine: Engine;
  readonly corpora: PlanCorpora;
  /** the plan's output folder; each run gets `runs/<label>` below it */
  readonly output: string;
  readonly files?: FileSystem;
  /** what is known of runs that are done; looked up anew if absent */
  readonly finished?: FinishedRuns;
  /** weights that others trained, for runs that start from them */
  readonly imported?: OpenImported;
  /** resume runs that were computed under other conditions (`Engine.conditions`) */
  readonly acceptOtherConditions?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  readonly onRun?: (result: RunResult) => void;
  readonly onWarning?: (message: string) => void;
}

/** What a session for a run must be opened with. */
export function sessionOptions({ specification }: PlannedRun): SessionOptions {
  const { model, optimizer, batchSequences, gradientBlockSequences } = specification;
  return { model, optimizer, batchSequences, gradientBlockSequences };
}

/** Runs of one shape share a session: every run sets the whole state before its first step. */
export class SessionPool {
  #session: { readonly shape: string; readonly session: Session } | undefined;

  constructor(private readonly engine: Engine) {}

  /** A session of the run's shape; one of another shape is closed. */
  async get(run: PlannedRun): Promise<Session> {
    const options = sessionOptions(run);
    const shape = canonicalJson(options);
    if (this.#session?.shape !== shape) {
      this.close();
      this.#session = { shape, session: await this.engine.open(options) };
    }
    return this.#session.session;
  }

  /** Stops the engine's threads. */
  close(): void {
    this.#session?.session.close();
    this.#session = undefined;
  }
}

/**
 * Trains what is not done yet.
 *
 * A run that diverges ends there while the others go on; a run that would start from a checkpoint that was never
 * reached is skipped, with the reason.
 *
 * @throws {Interrupted} when `signal` is aborted
 */
export async function trainPlan(options: TrainPlanOptions): Promise<RunResult[]> {
  const { runs, engine, output, files = DENO_FILES } = options;
  const { finished = new FinishedRuns(output, options.corpora, files) } = options;
  const pool = new SessionPool(engine);
  const results = new Map<RunKey, RunResult>();
  const validations = new ValidationSets();

  const train = async (run: PlannedRun): Promise<RunResult> => {
    const { initialWeights, evaluation } = run.specification;
    const parent = initialWeights.kind === "checkpoint" ? results.get(initialWeights.run) : undefined;
    if (initialWeights.kind === "checkpoint") {
      if (parent === undefined) throw new TypeError(`Run "${run.label}" stands before the run that it starts from`);
      const reason = skipReason(outcomeOf(parent), initialWeights.step);
      if (reason !== undefined) return { run, kind: "skipped", reason };
    }
    const folder = new RunFolder(output, run.label, files);
    const found = await finished.find(run);
    if (found.kind === "finished") {
      const { record } = found;
      return { run, kind: "trained", record, origin: "found", foundSteps: record.steps };
    }
    const { signal, onProgress, onWarning } = options;
    if (found.kind === "contradictory") {
      onWarning?.(
        `Run "${run.label}" is not taken as it lies in the folder, and is trained again from its newest good ` +
          `checkpoint: ${found.flaw}`,
      );
    }
    const session = await pool.get(run);
    const corpora = corporaOf(options.corpora, run.specification);
    await validations.get(corpora, evaluation.windows); // too few windows are found out before training
    const conditions = conditionsOf(engine, session);
    const { record, resumedAt } = await trainRun(run, folder, {
      session,
      corpora,
      validations,
      output,
      conditions,
      acceptOtherConditions: options.acceptOtherConditions,
      parent: parent === undefined || initialWeights.kind !== "checkpoint"
        ? undefined
        : parentInFolder(parent.run, new RunFolder(output, parent.run.label, files), initialWeights.step),
      imported: options.imported,
      signal,
      onProgress,
      onWarning,
    });
    const isDone = record.outcome.kind === "completed" && resumedAt === record.steps;
    const origin = isDone ? "found" : resumedAt > 0 ? "resumed" : "trained";
    return { run, kind: "trained", record, origin, foundSteps: resumedAt };
  };

  try {
    for (const run of runs) {
      const result = await train(run);
      results.set(run.key, result);
      options.onRun?.(result);
    }
  } finally {
    pool.close();
  }
  return [...results.values()];
}

function outcomeOf(result: RunResult): ParentOutcome {
  const { label } = result.run;
  if (result.kind === "skipped") return { label, outcome: "skipped", steps: 0 };
  return { label, outcome: result.record.outcome.kind, steps: result.record.steps };
}
