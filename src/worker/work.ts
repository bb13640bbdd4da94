/** A worker: it trains runs of a plan that many processes share, and writes to no other run's folder. */
import type { Plan } from "../experiment/plan/plan.ts";
import { runCost } from "../experiment/plan/cost.ts";
import type { PlannedRun, RunKey } from "../experiment/run/run.ts";
import { longestChainFirst } from "../experiment/run/run_graph.ts";
import { hasCode } from "../errors.ts";
import { LEASE_TIMES, type LeaseTimes } from "../locks/lease.ts";
import { type LockOwner, ownerInWords } from "../locks/lock_owner.ts";
import { type HeldRun, leasePlace, pause, RunLock, watchLeases } from "../locks/run_lock.ts";
import { FinishedRuns } from "../train/folder/finished_runs.ts";
import { syncFolders } from "../files/durable.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import { ParentFlaw } from "../train/start/parent_folder.ts";
import { type DoneRun, type RunResult, RunTrainer, type RunTrainerOptions } from "../train/run_trainer.ts";
import { Interrupted } from "../train/run_environment.ts";
import { type Standing, standings } from "./standing.ts";

/** What a worker does, and how. */
export interface WorkOptions extends Omit<RunTrainerOptions, "finished"> {
  readonly plan: Plan;
  /** the only run that it trains; whatever is ready and free if absent */
  readonly run?: PlannedRun;
  /** waits for runs that others train, instead of ending when none is ready and free */
  readonly wait?: boolean;
  /** this process, by default */
  readonly owner?: LockOwner;
  readonly times?: LeaseTimes;
  /** a run is begun or resumed */
  readonly onTake?: (run: PlannedRun) => void;
  /** a run is done, or diverged */
  readonly onRun?: (result: RunResult) => void;
  /** nothing is ready and free now: waiting for these */
  readonly onWait?: (blocked: readonly Blocked[]) => void;
}

/** A run that a worker cannot train now. */
export interface Blocked {
  readonly run: PlannedRun;
  /** why, in words */
  readonly reason: string;
}

/** How a worker's work ended. */
export type WorkEnd =
  /** nothing is left to be done: all runs, or the one that was named, are done, diverged or skipped */
  | { readonly kind: "done"; readonly standings: readonly Standing[] }
  /** what is left is held by others, or not ready */
  | { readonly kind: "waiting"; readonly blocked: readonly Blocked[] }
  /** it was asked to stop; a run that was in training has a checkpoint */
  | { readonly kind: "stopped"; readonly message: string };

/**
 * Trains runs until nothing is left that this process may do.
 *
 * @throws {UserError} where a run fails; its lease says why
 */
export async function work(options: WorkOptions): Promise<WorkEnd> {
  const worker = new Worker(options);
  try {
    return await worker.work();
  } catch (error) {
    if (error instanceof Interrupted) return { kind: "stopped", message: error.message };
    throw error;
  } finally {
    worker.close();
  }
}

class Worker {
  readonly #options: WorkOptions;
  readonly #finished: FinishedRuns;
  readonly #trainer: RunTrainer;
  /** each run's place in the order in which to begin them */
  readonly #places: ReadonlyMap<RunKey, number>;
  /** runs that were found to contradict themselves */
  readonly #doubts = new Map<RunKey, string>();
  /** runs that this machine cannot resume, and why */
  readonly #passedOver = new Map<RunKey, string>();
  #hasSpokenOfLocks = false;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#finished = new FinishedRuns(options.output, options.corpora, options.files);
    this.#trainer = new RunTrainer({ ...options, finished: this.#finished });
    const order = longestChainFirst(options.plan.runs, (run) => runCost(run).flops);
    this.#places = new Map(order.map(({ key }, place) => [key, place]));
  }

  close(): void {
    this.#trainer.close();
  }

  async work(): Promise<WorkEnd> {
    const { signal, deadline, run: only, wait = false } = this.#options;
    for (;;) {
      if (signal?.aborted === true) return { kind: "stopped", message: "Stopped between two runs" };
      const all = await standings(this.#options.plan.runs, this.#finished, this.#doubts);
      const left = all.filter((each) => each.kind === "ready" || each.kind === "not ready");
      const wanted = only === undefined ? left : left.filter(({ run }) => run.key === only.key);
      if (wanted.length === 0) return { kind: "done", standings: all };
      if (deadline?.isDue === true) {
        const [first] = wanted;
        if (first !== undefined && this.#trained === 0) deadline.requireTime(first.run.label);
        return { kind: "stopped", message: "Stopped before the job's end, between two runs" };
      }
      // What a run starts from may have to be made good before it.
      const candidates = left.filter((each) => each.kind === "ready" && !this.#passedOver.has(each.run.key))
        .filter(({ run }) => only === undefined || run.key === only.key || this.#doubts.has(run.key))
        .sort((a, b) => (this.#places.get(a.run.key) ?? 0) - (this.#places.get(b.run.key) ?? 0));
      const { lock, held } = await this.#takeFirst(candidates);
      if (lock !== undefined) {
        await this.#train(lock.standing, lock.lock);
        continue;
      }
      const blocked = wanted.map((each) => ({ run: each.run, reason: this.#reasonOf(each, held) }));
      if (!wait || held.size === 0) return { kind: "waiting", blocked };
      this.#options.onWait?.(blocked);
      await pause((this.#options.times ?? LEASE_TIMES).beat / 3, signal);
    }
  }

  /** Runs that this process has trained. */
  #trained = 0;

  /** The first run that is free, or whose holder is found dead; and those that others hold. */
  async #takeFirst(candidates: readonly Standing[]): Promise<{
    readonly lock?: { readonly standing: Standing; readonly lock: RunLock };
    readonly held: ReadonlyMap<RunKey, HeldRun>;
  }> {
    const { output, files, times, owner, signal } = this.#options;
    const lockOptions = {
      files,
      times,
      owner,
    };
    const held = new Map<RunKey, HeldRun>();
    for (const standing of candidates) {
      const taken = await RunLock.tryTake(output, standing.run, lockOptions);
      if (taken.kind === "lock") return { lock: { standing, lock: this.#noted(taken) }, held };
      held.set(standing.run.key, taken);
    }
    const suspects = candidates.flatMap((standing) => {
      const lease = held.get(standing.run.key)?.lease;
      return lease === undefined ? [] : [{ standing, lease, place: leasePlace(output, standing.run, files) }];
    });
    if (suspects.length === 0) return { held };
    const { dead } = await watchLeases(suspects, {
      times,
      signal,
    });
    for (const { standing, lease } of suspects.filter(({ lease }) => dead.includes(lease))) {
      const taken = await RunLock.tryTake(output, standing.run, lockOptions, lease);
      if (taken.kind === "lock") return { lock: { standing, lock: this.#noted(taken) }, held };
    }
    if (dead.length === 0 && signal?.aborted !== true) this.#sayWhatHolds([...held.values()]);
    return { held };
  }

  #noted(lock: RunLock): RunLock {
    for (const note of lock.notes) this.#options.onWarning?.(note);
    if (!lock.hasSystemLock) this.#sayOfLocks("This file system has no locks");
    return lock;
  }

  /** Whoever lives, and holds a run whose lock this host had, is on another host, which the lock does not reach. */
  #sayWhatHolds(held: readonly HeldRun[]): void {
    const suspects = held.filter(({ lease }) => lease !== undefined);
    if (suspects.length === 0) return;
    const isBeyond = suspects.some(({ isBeyondSystemLock }) => isBeyondSystemLock);
    this.#sayOfLocks(
      isBeyond ? "The locks of this file system do not reach from host to host" : "This file system has no locks",
    );
  }

  #sayOfLocks(what: string): void {
    if (this.#hasSpokenOfLocks) return;
    this.#hasSpokenOfLocks = true;
    this.#options.onWarning?.(`${what}: leases hold instead`);
  }

  async #train(standing: Standing, lock: RunLock): Promise<void> {
    await using _held = lock; // given back whatever is thrown
    const { run } = standing;
    const { output, files } = this.#options;
    if (!this.#doubts.has(run.key) && (await this.#finished.find(run)).kind === "finished") {
      // Somebody finished it between this worker's look and its lock.
      await lock.release({ kind: "done" });
      return;
    }
    const parents = standing.kind === "ready" ? standing.parents : [];
    for (const parent of parents) {
      if (await this.#isSound(parent)) continue;
      await lock.release({ kind: "stopped", reason: `run "${parent.run.label}" contradicts itself` });
      return;
    }
    // What a dead process renamed may not be on the disk yet, and this one will build on it.
    if (lock.notes.length > 0) await syncFolders(new RunFolder(output, run.label, files).path, files);
    this.#options.onTake?.(run);
    try {
      const result = await this.#trainer.train(run, lock, parents, this.#doubts.get(run.key));
      this.#doubts.delete(run.key);
      this.#trained++;
      this.#options.onRun?.(result);
    } catch (error) {
      const flawed = error instanceof ParentFlaw
        ? parents.find((parent) => parent.run.label === error.label)
        : undefined;
      if (error instanceof ParentFlaw && flawed !== undefined) {
        this.#doubts.set(flawed.run.key, error.flaw);
        return;
      }
      const isOnlyRun = this.#options.run !== undefined;
      if (isOnlyRun || !hasCode(error, "CONDITIONS_CHANGED", "RUN_TAKEN_OVER")) throw error;
      this.#passedOver.set(run.key, error.message);
      this.#options.onWarning?.(`${error.message}; continuing with other runs`);
    }
  }

  /** Whether another run may start from this one: its record, journal and curve agree. */
  async #isSound({ run }: DoneRun): Promise<boolean> {
    const found = await this.#finished.checkJournal(run);
    if (found.kind !== "contradictory") return true;
    this.#doubts.set(run.key, found.flaw);
    return false;
  }

  #reasonOf(standing: Standing, held: ReadonlyMap<RunKey, HeldRun>): string {
    if (standing.kind === "not ready") return `it starts from run "${standing.parent.label}", which is not done`;
    const passedOver = this.#passedOver.get(standing.run.key);
    if (passedOver !== undefined) return passedOver;
    const { owner } = held.get(standing.run.key) ?? {};
    return `it is in training by ${owner === undefined ? "another process" : ownerInWords(owner)}`;
  }
}
