/** Training pieces of runs again and comparing them, record by record, with what the runs left. */
import { type Digest, shortDigest } from "../digest/sha256.ts";
import type { Engine, Session, StepResult, TrainingState } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import { isEvaluationStep } from "../experiment/evaluation.ts";
import type { RunKey } from "../experiment/run.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import { LearningRates } from "../manifest/consistency/learning_rates.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../manifest/format/run.ts";
import { initializeWeights } from "../model/initial_weights.ts";
import { pointAt } from "../results/curves.ts";
import { loadCheckpoint } from "../train/checkpoint.ts";
import { maxCheckpointBytes } from "../train/checkpoint_size.ts";
import { type Corpora, requireCorpus, Validation } from "../train/evaluation.ts";
import { toBits } from "../train/journal_record.ts";
import { conditionsOf } from "../train/conditions.ts";
import { loadImported, type OpenImported } from "../train/imported_weights.ts";
import { updatesBefore } from "../train/skipped_steps.ts";
import { stateDigest } from "../train/state_digest.ts";
import { SessionPool } from "../train/train_plan.ts";
import { Interrupted } from "../train/train_run.ts";
import { type RetrainingField, RetrainingMismatch } from "./difference.ts";
import { readCheckpointArtefact, readEvidence, type RunEvidence } from "./evidence.ts";
import { requireConditions, requireEngine } from "./means.ts";
import type { Segment } from "./segment.ts";

/** What pieces are retrained with. */
export interface TrainerOptions {
  /** all runs of the manifest, each after the run it starts from */
  readonly runs: readonly ManifestRun[];
  readonly artefacts: ArtefactReader;
  readonly engine: Engine;
  readonly corpora: Corpora;
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
  step: number;
}

/** Retrains segments; consecutive ones continue in memory. Close it to stop the engine's threads. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #pool: SessionPool;
  readonly #rates = new LearningRates();
  readonly #trained: ReadonlyMap<RunKey, TrainedRun>;
  readonly #prior = new Map<RunKey, number>();
  #position: Position | undefined;
  #evidence: { readonly run: RunKey; readonly evidence: RunEvidence } | undefined;
  #validation: { readonly windows: number; readonly loaded: Validation } | undefined;
  #evaluations = 0;

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
   * Trains a segment again.
   *
   * @throws {RetrainingMismatch} at the first record that differs
   * @throws {UserError} if data, engine or artefacts are not at hand
   * @throws {Interrupted} when the signal is aborted
   */
  async retrain(segment: Segment): Promise<SegmentWork> {
    const { run, from, to, diverges } = segment;
    this.#requireMeans(run);
    this.#evaluations = 0;
    const startedAt = await this.#seek(run, from);
    if (from === 0) await this.#compareCurve(run, 0);
    await this.#advance(run, to, true);
    if (diverges) await this.#compareDivergence(run);
    else if (to > from) await this.#compareCheckpoint(run, to);
    return { startedAt, evaluations: this.#evaluations };
  }

  /** Bits can be compared only if the same arithmetic runs on the same data. */
  #requireMeans(run: TrainedRun): void {
    const { engine, corpora } = this.#options;
    const { specification } = run;
    requireEngine(run, engine);
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

  /** Brings the engine's state to a step of a run; returns the step from which it had to train. */
  async #seek(run: TrainedRun, step: number): Promise<number> {
    const session = await this.#pool.get(run);
    if (run.conditions !== undefined) requireConditions(run, conditionsOf(this.#options.engine, session));
    const position = this.#position;
    const isHere = position?.run === run.key && position.session === session && position.step <= step;
    const here = isHere ? position.step : -1;
    const startedAt = here === step ? here : await this.#load(run, session, step, here);
    await this.#advance(run, step, false);
    return startedAt;
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
    const { model, initialWeights } = run.specification;
    let parentState: TrainingState | undefined;
    if (initialWeights.kind === "checkpoint") {
      const parent = this.#trained.get(initialWeights.run);
      if (parent === undefined) throw new Error(`Run "${run.label}" starts from a run that was not trained`);
      this.#requireMeans(parent);
      await this.#seek(parent, initialWeights.step);
      parentState = copyOf(
        await (await this.#pool.get(parent)).readState(),
        initialWeights.optimizerState === "carried",
      );
    }
    this.#position = undefined;
    const session = await this.#pool.get(run);
    await session.writeState(async (state) => {
      if (parentState !== undefined) {
        state.weights.set(parentState.weights);
        state.firstMoments.set(parentState.firstMoments);
        state.secondMoments.set(parentState.secondMoments);
        if (parentState.engineState !== undefined) state.engineState?.set(parentState.engineState);
      } else if (initialWeights.kind === "random") initializeWeights(model, initialWeights.seed, state.weights);
      else if (initialWeights.kind === "imported") {
        const { weights } = initialWeights;
        await loadImported(state, { run: run.label, model, weights }, this.#options.imported);
      }
    });
    await this.#compareState(run, 0);
    this.#position = { run: run.key, session, step: 0 };
  }

  /** Trains to a step, and compares every record on the way; with `evaluate` the points of the curve as well. */
  async #advance(run: TrainedRun, to: number, evaluate: boolean): Promise<void> {
    const { signal, onStep } = this.#options;
    const position = this.#position;
    if (position?.run !== run.key) throw new Error(`The engine is not at run "${run.label}"`);
    while (position.step < to) {
      if (signal?.aborted === true) throw new Interrupted(run.label, position.step);
      const { step } = position;
      this.#position = undefined;
      await this.#compareStep(run, step);
      await this.#compareState(run, step + 1);
      this.#position = position;
      position.step++;
      if (evaluate) await this.#compareCurve(run, position.step);
      onStep?.(run, position.step);
    }
  }

  async #compareStep(run: TrainedRun, step: number): Promise<void> {
    const record = (await this.#evidenceOf(run)).steps[step];
    if (record === undefined) throw new Error(`Run "${run.label}" has no record of step ${step}`);
    const compare = comparison(run, step);
    const { loss, gradientNorm, outcome } = await this.#trainStep(run, step, (batch, learningRate) => {
      compare("batch", record.batch, batch);
      if (record.kind === "step") compare("learning rate", record.lr, toBits(learningRate));
    });
    compare("loss", record.loss, toBits(loss));
    compare("skip", record.kind === "skip" ? "skipped" : "updated", outcome);
    if (record.kind === "step") compare("gradient norm", record.gradientNorm, toBits(gradientNorm));
  }

  /** One step; `check` sees what goes into it before time is spent on it. */
  async #trainStep(
    run: TrainedRun,
    step: number,
    check: (batch: Digest, learningRate: number) => void,
  ): Promise<StepResult> {
    const { corpus, orderSeed, batchSequences, schedule } = run.specification;
    const batch = await this.#options.corpora[corpus.name].batch(step, batchSequences, orderSeed);
    const rates = this.#rates.table(schedule);
    const updates = updatesBefore((await this.#evidenceOf(run)).skips, step);
    const learningRate = rates[Math.min(updates, rates.length - 1)] ?? 0;
    check(batch.digest, learningRate);
    const prior = await this.#priorUpdates(run);
    return await (await this.#pool.get(run)).step(batch.tokens, learningRate, prior + updates);
  }

  /** Updates that Adam's moments had behind them at the run's step 0. */
  async #priorUpdates({ specification: { initialWeights }, key }: TrainedRun): Promise<number> {
    if (initialWeights.kind !== "checkpoint" || initialWeights.optimizerState !== "carried") return 0;
    const known = this.#prior.get(key);
    if (known !== undefined) return known;
    const parent = this.#trained.get(initialWeights.run);
    if (parent === undefined) throw new Error("A run starts from one that was not trained");
    const { skips } = await readEvidence(parent, this.#options.artefacts);
    const updates = updatesBefore(skips, initialWeights.step);
    this.#prior.set(key, updates);
    return updates;
  }

  async #compareDivergence(run: TrainedRun): Promise<void> {
    const { divergence, curves } = await this.#evidenceOf(run);
    const { steps: step } = run.journal;
    if (divergence === undefined) throw new Error(`Run "${run.label}" has no record of its divergence`);
    const compare = comparison(run, step);
    this.#position = undefined;
    const result = await this.#trainStep(run, step, (batch) => compare("batch", divergence.batch, batch));
    const isLoss = !Number.isFinite(result.loss);
    const value = isLoss ? result.loss : result.gradientNorm;
    const retrained = result.outcome !== "diverged" ? "none" : `${isLoss ? "loss" : "gradientNorm"} ${toBits(value)}`;
    compare("divergence", `${divergence.divergence} ${divergence.value}`, retrained);
    compare("curve", curves.diverged?.loss ?? "whole", String(value));
  }

  /** The state against the one recorded at this step, if one is. */
  async #compareState(run: TrainedRun, step: number): Promise<void> {
    const recorded = (await this.#evidenceOf(run)).states.get(step);
    if (recorded === undefined) return;
    const session = await this.#pool.get(run);
    const found = stateDigest(await session.readState(), step, step * run.specification.batchSequences);
    comparison(run, step)("state", recorded, found);
  }

  /** The checkpoint at the end of a segment holds the state that was reached; afterwards the engine holds it too. */
  async #compareCheckpoint(run: TrainedRun, step: number): Promise<void> {
    const recorded = run.states.find((entry) => entry.step === step);
    if (recorded === undefined) return;
    const session = await this.#pool.get(run);
    if (await this.#loadCheckpoint(run, session, recorded)) this.#position = { run: run.key, session, step };
  }

  /** Both validation losses at this step against the curve, if an evaluation is due. */
  async #compareCurve(run: TrainedRun, step: number): Promise<void> {
    const { evaluation, model } = run.specification;
    if (!isEvaluationStep(evaluation, step)) return;
    const { curves } = await this.#evidenceOf(run);
    const point = pointAt(curves, step);
    const compare = comparison(run, step);
    const validation = await this.#validationWindows(evaluation.windows);
    const losses = await validation.losses(await this.#pool.get(run), model.sequenceLength);
    for (const name of ["upstream", "downstream"] as const) {
      compare("curve", `${name} ${point?.[name]}`, `${name} ${losses[name]}`);
      const { bytes, tokens } = this.#options.corpora[name].summary;
      const ratio = bytes.validation / tokens.validation;
      compare("curve", `${curves.bytesPerToken[name]} ${name} bytes a token`, `${ratio} ${name} bytes a token`);
    }
    this.#evaluations++;
  }

  async #validationWindows(windows: number): Promise<Validation> {
    if (this.#validation?.windows !== windows) {
      this.#validation = { windows, loaded: await Validation.load(this.#options.corpora, windows) };
    }
    return this.#validation.loaded;
  }
}

/** A state that stays while the engine goes on: its weights, and what the optimizer keeps if that is wanted, else empty. */
function copyOf(state: TrainingState, withOptimizer: boolean): TrainingState {
  const { weights, firstMoments, secondMoments, engineState } = state;
  const none = new Float32Array(0);
  return {
    weights: weights.slice(),
    firstMoments: withOptimizer ? firstMoments.slice() : none,
    secondMoments: withOptimizer ? secondMoments.slice() : none,
    ...(withOptimizer && engineState !== undefined ? { engineState: engineState.slice() } : {}),
  };
}

function comparison(run: TrainedRun, step: number) {
  return (field: RetrainingField, recorded: string, retrained: string): void => {
    if (recorded !== retrained) throw new RetrainingMismatch({ run: run.label, step, field, recorded, retrained });
  };
}
