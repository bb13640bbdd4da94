/** All runs of a plan, each after the run it starts from, on one engine. */
import type { PlannedRun, RunKey } from "../experiment/run/run.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { ownerInWords } from "../locks/lock_owner.ts";
import { type HeldRun, RunLock, watchRun } from "../locks/run_lock.ts";
import { ParentFlaw } from "./start/parent_folder.ts";
import { FinishedRuns } from "./folder/finished_runs.ts";
import { type DoneRun, reasonToSkip, type RunResult, RunTrainer, type RunTrainerOptions } from "./run_trainer.ts";

export type { DoneRun, RunResult } from "./run_trainer.ts";

/** How a plan is trained. */
export interface TrainPlanOptions extends Omit<RunTrainerOptions, "finished"> {
  readonly runs: readonly PlannedRun[];
  /** what is known of runs that are done; looked up anew if absent */
  readonly finished?: FinishedRuns;
  readonly onRun?: (result: RunResult) => void;
}

/**
 * Trains what is not done yet. What lies in the folder is taken by its records, and held against them at the end; what
 * contradicts itself is trained again from its newest good checkpoint.
 *
 * A run that diverges ends there while the others go on; a run that would start from a checkpoint that was never
 * reached is skipped, with the reason.
 *
 * @throws {Interrupted} when `signal` is aborted
 * @throws {UserError} `RUN_IN_USE` where another process trains one of the runs
 */
export async function trainPlan(options: TrainPlanOptions): Promise<RunResult[]> {
  const { runs, corpora, output, files = DENO_FILES } = options;
  const { finished = new FinishedRuns(output, corpora, files) } = options;
  const results = new Map<RunKey, RunResult>();
  using trainer = new RunTrainer({ ...options, finished });

  const parentsOf = ({ label, specification: { initialWeights } }: PlannedRun): RunResult[] =>
    startsOf(initialWeights).map(({ run }) => {
      const parent = results.get(run);
      if (parent === undefined) throw new TypeError(`Run "${label}" stands before the run that it starts from`);
      return parent;
    });

  /** @param flaw for which a run that is done is trained again */
  const train = async (run: PlannedRun, flaw?: string): Promise<DoneRun> => {
    const parents: DoneRun[] = [];
    for (const found of parentsOf(run)) if (found.kind === "trained") parents.push(await sound(found));
    try {
      return await trainer.train(run, await lockOf(run, options), parents, flaw);
    } catch (error) {
      const flawed = error instanceof ParentFlaw
        ? parents.find((parent) => parent.run.label === error.label)
        : undefined;
      if (!(error instanceof ParentFlaw) || flawed === undefined) throw error;
      const again = await replace(flawed.run, error.flaw);
      const others = parents.map((parent) => parent === flawed ? again : parent);
      return await trainer.train(run, await lockOf(run, options), others, flaw);
    }
  };

  /** A run that others start from: its journal is read before they do. */
  const sound = async (parent: DoneRun): Promise<DoneRun> => {
    if (parent.origin === "trained") return parent;
    const state = await finished.checkJournal(parent.run);
    return state.kind === "contradictory" ? await replace(parent.run, state.flaw) : parent;
  };

  const replace = async (run: PlannedRun, flaw: string): Promise<DoneRun> => {
    const again = await train(run, flaw);
    results.set(run.key, again);
    return again;
  };

  for (const run of runs) {
    const reason = reasonToSkip(run, parentsOf(run));
    const found = reason === undefined ? await finished.find(run) : undefined;
    const result: RunResult = reason !== undefined
      ? { run, kind: "skipped", reason }
      : found?.kind === "finished"
      ? { run, kind: "trained", record: found.record, origin: "found", foundSteps: found.record.steps }
      : await train(run);
    results.set(run.key, result);
    options.onRun?.(result);
  }
  for (const run of runs) {
    const result = results.get(run.key);
    // What this process trained from its first step on, it has just written.
    if (result?.kind !== "trained" || result.origin === "trained") continue;
    const state = await finished.check(run);
    if (state.kind === "contradictory") await replace(run, state.flaw);
  }
  return runs.flatMap(({ key }) => results.get(key) ?? []);
}

async function lockOf(run: PlannedRun, { output, files, signal, onWarning }: TrainPlanOptions): Promise<RunLock> {
  const options = { files, signal };
  const taken = await RunLock.tryTake(output, run, options);
  const lock = taken.kind === "held" ? await watchRun(output, run, taken, options) : taken;
  if (lock.kind === "held") throw inUse(run, lock);
  // Of this host's dead processes the folder's lock has told.
  if (taken.kind === "held") { for (const note of lock.notes) onWarning?.(note); }
  return lock;
}

function inUse({ label }: PlannedRun, { owner }: HeldRun): UserError {
  return new UserError(
    "RUN_IN_USE",
    `Run "${label}" is in training by ${owner === undefined ? "another process" : ownerInWords(owner)}`,
    "give the same command again when it has ended, or help with the other runs with --join",
  );
}
