/** Retraining pieces of runs and comparing them, record by record, with what the runs left. */
import { shortDigest } from "../digest/sha256.ts";
import type { Engine, Session, TrainingState } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import type { RunCheckpoint, RunKey } from "../experiment/run/run.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import { LearningRates } from "../manifest/consistency/learning_rates.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../manifest/format/run.ts";
import { loadCheckpoint } from "../train/checkpoint/checkpoint.ts";
import { maxCheckpointBytes } from "../train/checkpoint/checkpoint_size.ts";
import { conditionsOf } from "../train/conditions.ts";
import { corporaOf, type PlanCorpora, requireCorpus, ValidationSets } from "../train/evaluation/evaluation.ts";
import type { OpenImported } from "../train/checkpoint/imported_weights.ts";
import { loadInitialState, priorUpdates } from "../train/start/initial_state.ts";
import { headerOf } from "../train/run_header.ts";
import { runRecords } from "../train/run_records.ts";
import { updatesBefore } from "../train/journal/skipped_steps.ts";
import { SessionPool } from "../train/session_pool.ts";
import { Interrupted } from "../train/run_environment.ts";
import { compareEvent } from "./compare.ts";
import { RetrainingMismatch } from "./difference.ts";
import { readCheckpointArtefact, readEvidence, type RunEvidence } from "./evidence.ts";
import { requireConditions, requireEngine } from "./means.ts";
import type { Segment } from "./segment.ts";

/** What pieces are retrained with. */
export interface TrainerOptions {
  /** all runs of the manifest, each after the run it starts from */
  readonly runs: readonly ManifestRun[];
  readonly artefacts: ArtefactReader;
  readonly engine: Engine;
  readonly corpora: PlanCorpora;
  /** weights that others trained, for runs that start from them */
  readonly imported?: OpenImported;
  /** aborted: stop after the current step */
  readonly signal?: AbortSignal;
  /** after every optimizer step that was retrained and found the same */
  readonly onStep?: (run: TrainedRun, step: number) => void;
}

/** What a retrained segment took. */
export interface SegmentWork {
  /** optimizer steps done where training began: the segment's first, or fewer where no checkpoint is there */
  readonly startedAt: number;
  /** evaluations of both validation sets compared with the curve */
  readonly evaluations: number;
}

/** Where the engine's state is: after `step` steps of a run, all compared and found the same. */
interface Position {
  readonly run: RunKey;
  /** the one whose memory holds it: another shape of run opens another */
  readonly session: Session;
  readonly step: number;
}

/** A run that another starts from. */
interface Parent {
  readonly run: TrainedRun;
  /** optimizer steps that it had done there */
  readonly step: number;
}

/** Retrains segments; consecutive ones continue in memory. Close it to stop the engine's threads. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #pool: SessionPool;
  readonly #rates = new LearningRates();
  readonly #trained: ReadonlyMap<RunKey, TrainedRun>;
  readonly #validations = new ValidationSets();
  /** updates that parents had made, by run and step */
  readonly #parentUpdates = new Map<string, number>();
  #position: Position | undefined;
  #evidence: { readonly run: RunKey; readonly evidence: RunEvidence } | undefined;
  #evaluations = 0;
  /** the run whose start the session's penalty pulls towards */
  #anchored: { readonly run: RunKey; readonly session: Session } | undefined;

  constructor(options: TrainerOptions) {
    this.#options = options;
    this.#pool = new SessionPool(options.engine);
    this.#trained = new Map(options.runs.filter(isTrained).map((run) => [run.key, run]));
  }

  /** Stops the engine's threads. */
  close(): void {
    this.#pool.close();
  }

  /**
   * Retrains a segment.
   *
   * @throws {RetrainingMismatch} at the first record that differs
   * @throws {UserError} if data, engine or artefacts are not at hand
   * @throws {Interrupted} when the signal is aborted
   */
  async retrain(segment: Segment): Promise<SegmentWork> {
    const { run, from, to, diverges } = segment;
    this.#requireMeans(run);
    this.#evaluations = 0;
    const startedAt = await this.#find(run, from);
    // The attempt at the step after the last one is what a run that diverged ends with.
    await this.#advance(run, diverges ? to + 1 : to, (step) => step > from || from === 0);
    if (!diverges && to > from) await this.#compareCheckpoint(run, to);
    return { startedAt, evaluations: this.#evaluations };
  }

  /** Bits can be compared only if the same arithmetic runs on the same data. */
  #requireMeans(run: TrainedRun): void {
    const { specification } = run;
    requireEngine(run, this.#options.engine);
    const corpora = corporaOf(this.#options.corpora, specification);
    requireCorpus(corpora, specification.corpus.name, specification.corpus.digest);
    for (const name of ["upstream", "downstream"] as const) {
      requireCorpus(corpora, name, specification.validation[name]);
    }
  }

  async #evidenceOf(run: TrainedRun): Promise<RunEvidence> {
    if (this.#evidence?.run !== run.key) {
      this.#evidence = { run: run.key, evidence: await readEvidence(run, this.#options.artefacts) };
    }
    return this.#evidence.evidence;
  }

  /** Brings the engine's state to a step of a run, or as near before it as is recorded; returns the step reached. */
  async #find(run: TrainedRun, step: number): Promise<number> {
    const session = await this.#anchoredSession(run);
    if (run.conditions !== undefined) requireConditions(run, conditionsOf(this.#options.engine, session));
    const position = this.#position;
    const isHere = position?.run === run.key && position.session === session && position.step <= step;
    const here = isHere ? position.step : -1;
    return here === step ? here : await this.#load(run, session, step, here);
  }

  /** A session of the run. What its penalty pulls towards follows from the run's start and is no part of a checkpoint. */
  async #anchoredSession(run: TrainedRun): Promise<Session> {
    const session = await this.#pool.get(run);
    const isAnchored = this.#anchored?.run === run.key && this.#anchored.session === session;
    if (run.specification.penalty === undefined || isAnchored) return session;
    await this.#begin(run);
    return await this.#pool.get(run);
  }

  /** Loads the newest checkpoint up to a step and after `here`; without one stays there, or begins the run. */
  async #load(run: TrainedRun, session: Session, step: number, here: number): Promise<number> {
    for (const { step: at, state, checkpoint } of run.states.toReversed()) {
      // A run begins as its specification says, whatever may be stored for step 0.
      if (at > step || at <= Math.max(here, 0) || checkpoint === undefined) continue;
      if (await this.#loadCheckpoint(run, session, { step: at, state, checkpoint })) {
        this.#position = { run: run.key, session, step: at };
        return at;
      }
    }
    if (here >= 0) return here;
    await this.#begin(run);
    return 0;
  }

  /** Loads a state that is an artefact; false if the artefact is not there. */
  async #loadCheckpoint(
    run: TrainedRun,
    session: Session,
    { step, state, checkpoint }: TrainedRun["states"][number],
  ): Promise<boolean> {
    if (checkpoint === undefined) return false;
    const { model } = run.specification;
    const bytes = await readCheckpointArtefact(checkpoint, this.#options.artefacts, maxCheckpointBytes(model));
    if (bytes === undefined) return false;
    this.#position = undefined;
    try {
      await session.writeState((target) => {
        loadCheckpoint(bytes, checkpoint.name, model, target, { run: run.key, step, state });
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new RetrainingMismatch({
        run: run.label,
        step,
        field: "checkpoint",
        recorded: `said to be state ${shortDigest(state)}`,
        retrained: `no such state (${error.message})`,
      });
    }
    return true;
  }

  /** The state at step 0: random weights, imported ones or the parent's; moments at zero or the parent's too. */
  async #begin(run: TrainedRun): Promise<void> {
    const { imported } = this.#options;
    const { initialWeights } = run.specification;
    const withOptimizer = initialWeights.kind === "checkpoint" && initialWeights.optimizerState === "carried";
    const states = new Map<string, TrainingState>();
    for (const start of startsOf(initialWeights)) {
      states.set(`${start.run} ${start.step}`, await this.#stateOf(this.#parentOf(run, start), withOptimizer));
    }
    this.#position = undefined;
    const session = await this.#pool.get(run);
    await loadInitialState(run, session, {
      corpora: corporaOf(this.#options.corpora, run.specification),
      parent: ({ run, step }) => {
        const state = states.get(`${run} ${step}`);
        return state && { load: (target) => Promise.resolve(fill(target, state)) };
      },
      imported,
    });
    this.#position = { run: run.key, session, step: 0 };
    this.#anchored = { run: run.key, session };
  }

  /** A run that another starts from, and where. */
  #parentOf({ label }: TrainedRun, { run: key, step }: RunCheckpoint): Parent {
    const run = this.#trained.get(key);
    if (run === undefined) throw new Error(`Run "${label}" starts from a run that was not trained`);
    return { run, step };
  }

  /** The state of a parent where another run starts, as a copy that stays while the engine trains on. */
  async #stateOf({ run, step }: Parent, withOptimizer: boolean): Promise<TrainingState> {
    this.#requireMeans(run);
    await this.#find(run, step);
    await this.#advance(run, step, () => false);
    return copyOf(await (await this.#pool.get(run)).readState(), withOptimizer);
  }

  async #updatesOf({ run, step }: Parent): Promise<number> {
    const known = this.#parentUpdates.get(`${run.key} ${step}`);
    if (known !== undefined) return known;
    const updates = updatesBefore((await readEvidence(run, this.#options.artefacts)).skips, step);
    this.#parentUpdates.set(`${run.key} ${step}`, updates);
    return updates;
  }

  /** Trains to a step, and compares every record on the way; evaluations only where they are wanted. */
  async #advance(run: TrainedRun, to: number, evaluates: (step: number) => boolean): Promise<void> {
    const { signal, onStep } = this.#options;
    const corpora = corporaOf(this.#options.corpora, run.specification);
    const position = this.#position;
    if (position?.run !== run.key) throw new Error(`The engine is not at run "${run.label}"`);
    const { session, step: start } = position;
    const evidence = await this.#evidenceOf(run);
    const header = await headerOf(run, corpora, this.#validations);
    const means = {
      session,
      corpora,
      validations: this.#validations,
      rates: this.#rates.table(run.specification.schedule),
      priorUpdates: await priorUpdates(run, {
        parent: (start) => ({ updates: () => this.#updatesOf(this.#parentOf(run, start)) }),
      }),
    };
    const from = { step: start, updates: updatesBefore(evidence.skips, start) };
    for await (const event of runRecords(run, means, { from, to, evaluates })) {
      if (event.kind === "input") this.#position = undefined;
      compareEvent(run, evidence, header, event);
      if (event.kind === "evaluation") this.#evaluations++;
      if (event.kind !== "reached") continue;
      this.#position = { run: run.key, session, step: event.step };
      if (event.step > start) onStep?.(run, event.step);
      if (event.step < to && signal?.aborted === true) throw new Interrupted(run.label, event.step);
    }
  }

  /** The checkpoint at the end of a segment holds the state that was reached; afterwards the engine holds it too. */
  async #compareCheckpoint(run: TrainedRun, step: number): Promise<void> {
    const recorded = run.states.find((entry) => entry.step === step);
    if (recorded === undefined) return;
    const session = await this.#pool.get(run);
    if (await this.#loadCheckpoint(run, session, recorded)) this.#position = { run: run.key, session, step };
  }
}

/** A state that stays while the engine trains on: its weights, and what the optimizer keeps if that is wanted, else empty. */
function copyOf(state: TrainingState, withOptimizer: boolean): TrainingState {
  const { weights, firstMoments, secondMoments, engineState } = state;
  const none = new Float32Array(0);
  return {
    weights: weights.slice(),
    firstMoments: withOptimizer ? firstMoments.slice() : none,
    secondMoments: withOptimizer ? secondMoments.slice() : none,
    engineState: withOptimizer ? engineState?.slice() : undefined,
  };
}

/** Fills a state with a copy's vectors; what the copy leaves out stays as it is. */
function fill(target: TrainingState, { weights, firstMoments, secondMoments, engineState }: TrainingState): void {
  target.weights.set(weights);
  target.firstMoments.set(firstMoments);
  target.secondMoments.set(secondMoments);
  if (engineState !== undefined) target.engineState?.set(engineState);
}
