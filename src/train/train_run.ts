/** One run from its start, or from its newest good checkpoint, to its end. */
import type { Digest } from "../digest/sha256.ts";
import type { Batch } from "../data/corpus.ts";
import type { Session } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import { isCheckpointStep, isEvaluationStep } from "../experiment/evaluation.ts";
import type { PlannedRun } from "../experiment/run.ts";
import { removeLeftovers } from "../files/durable.ts";
import type { CurvePoint, Curves } from "../results/curves.ts";
import { learningRateTable } from "../schedule/learning_rate.ts";
import { type ExpectedCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type ConditionPeriod, type Conditions, continueUnder } from "./conditions.ts";
import { DueRecords } from "./due_records.ts";
import { bytesPerTokenOf, type Corpora, requireCorpus, type Validation } from "./evaluation.ts";
import { loadInitialState, priorUpdates, type StartSources } from "./initial_state.ts";
import { JournalWriter } from "./journal.ts";
import { curvePoint, curvesOfPoints } from "./journal_curves.ts";
import { JOURNAL_VERSION, type WrittenHeader } from "./journal_header.ts";
import type { Outcome, RecordedState, RunFolder, RunRecord } from "./run_folder.ts";
import { stateDigest } from "./state_digest.ts";

/** Steps between progress reports. */
const PROGRESS_INTERVAL = 4;
/** Codes of errors that say nothing against a file: once the user has helped, it may be as good as ever. */
const NOT_DAMAGED: readonly string[] = [
  "PERMISSION_DENIED",
  "READ_ONLY",
  "NO_SPACE",
  "FILE_ERROR",
  "IS_A_LINK",
  "FILE_CHANGED",
  "CONDITIONS_CHANGED",
  "JOURNAL_OF_EARLIER_VERSION",
];

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
  readonly session: Session;
  /** what the engine's bits depend on besides the run's key, if anything */
  readonly conditions?: Conditions;
  /** resume even where a checkpoint was computed under other conditions */
  readonly acceptOtherConditions?: boolean;
  readonly corpora: Corpora;
  readonly validation: Validation;
  /** the plan's output folder */
  readonly output: string;
  /** aborted: stop after the current step, with a checkpoint */
  readonly signal?: AbortSignal;
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

/** A run that was trained, all of it or what was left. */
export interface FinishedTraining {
  readonly record: RunRecord;
  /** optimizer steps that a checkpoint in the folder had behind it; 0 if training began anew */
  readonly resumedAt: number;
}

/**
 * Trains a run, or what is left of it.
 *
 * @throws {Interrupted} when `signal` is aborted
 * @throws {UserError} if the data are not those planned, or files cannot be read or written;
 * `JOURNAL_OF_EARLIER_VERSION`
 */
export async function trainRun(
  run: PlannedRun,
  folder: RunFolder,
  environment: RunEnvironment,
): Promise<FinishedTraining> {
  await removeLeftovers(folder.path, folder.files);
  await removeLeftovers(folder.checkpoints, folder.files);
  const training = await Training.start(run, folder, environment);
  const resumedAt = training.step;
  try {
    return { record: await training.finish(), resumedAt };
  } finally {
    training.close();
  }
}

/** Where training begins or resumes. */
interface Start {
  /** updates that Adam's moments had behind them at step 0 */
  readonly priorUpdates: number;
  readonly step: number;
  readonly skipped: number;
  readonly journal: JournalWriter;
  readonly points: CurvePoint[];
  readonly states: RecordedState[];
  readonly conditions: readonly ConditionPeriod[] | undefined;
}

/** The header of a run's journal. */
function headerOf(run: PlannedRun, corpora: Corpora): WrittenHeader {
  return { version: JOURNAL_VERSION, run: run.key, bytesPerToken: bytesPerTokenOf(corpora) };
}

class Training {
  readonly #run: PlannedRun;
  readonly #folder: RunFolder;
  readonly #environment: RunEnvironment;
  readonly #rates: Float32Array;
  readonly #journal: JournalWriter;
  readonly #points: CurvePoint[];
  readonly #states: RecordedState[];
  readonly #conditions: readonly ConditionPeriod[] | undefined;
  readonly #priorUpdates: number;
  #step: number;
  /** steps that changed nothing, since a 16-bit gradient overflowed */
  #skipped: number;

  private constructor(
    run: PlannedRun,
    folder: RunFolder,
    environment: RunEnvironment,
    start: Start,
  ) {
    this.#run = run;
    this.#folder = folder;
    this.#environment = environment;
    this.#rates = learningRateTable(run.specification.schedule);
    this.#priorUpdates = start.priorUpdates;
    this.#step = start.step;
    this.#journal = start.journal;
    this.#points = start.points;
    this.#states = start.states;
    this.#conditions = start.conditions;
    this.#skipped = start.skipped;
  }

  /** Resumes from the newest good checkpoint, or starts anew. */
  static async start(run: PlannedRun, folder: RunFolder, environment: RunEnvironment): Promise<Training> {
    const { onWarning = () => {} } = environment;
    for (const step of await folder.checkpointSteps()) {
      // A run begins as its specification says, whatever may be stored for step 0.
      if (step > run.steps || step === 0) continue;
      try {
        return await Training.#resume(run, folder, environment, step);
      } catch (error) {
        if (!(error instanceof UserError) || NOT_DAMAGED.includes(error.code)) throw error;
        onWarning(`Run "${run.label}": step ${step} cannot be resumed from. ${error.message}`);
      }
    }
    await loadInitialState(run, environment.session, environment);
    const journal = await JournalWriter.create(folder.journal, headerOf(run, environment.corpora), folder.files);
    const conditions = continueUnder(run.label, 0, undefined, environment.conditions, true);
    return new Training(run, folder, environment, {
      priorUpdates: await priorUpdates(run, environment),
      step: 0,
      skipped: 0,
      journal,
      points: [],
      states: [],
      conditions,
    });
  }

  static async #resume(
    run: PlannedRun,
    folder: RunFolder,
    environment: RunEnvironment,
    step: number,
  ): Promise<Training> {
    const { session, corpora, acceptOtherConditions = false, onWarning = () => {} } = environment;
    const due = new DueRecords(run, learningRateTable(run.specification.schedule));
    const header = headerOf(run, corpora);
    const { writer, resumption } = await JournalWriter.resume(folder.journal, header, step, {
      files: folder.files,
      due,
    });
    const points = resumption.evaluations.map(curvePoint);
    const states = [...resumption.states];
    // The run's record will vouch for the earlier checkpoints too, and other runs may start from them.
    const expected: ExpectedCheckpoint[] = states
      .filter((recorded) => recorded.step > 0 && recorded.step < step)
      .map((recorded) => ({ run: run.key, ...recorded }));
    expected.push({ run: run.key, step, ...(resumption.state === undefined ? {} : { state: resumption.state }) });
    let conditions: readonly ConditionPeriod[] | undefined;
    let prior: number;
    try {
      prior = await priorUpdates(run, environment);
      await session.writeState(async (target) => {
        for (const checkpoint of expected) {
          const path = folder.checkpoint(checkpoint.step);
          const info = await readCheckpoint(path, run.specification.model, target, checkpoint, folder.files);
          conditions = info.conditions;
        }
      });
      conditions = continueUnder(run.label, step, conditions, environment.conditions, acceptOtherConditions);
    } catch (error) {
      writer.close();
      throw error;
    }
    if (resumption.problem !== undefined) {
      onWarning(`Journal of run "${run.label}" was cut back to step ${step}: ${resumption.problem}`);
    }
    const { skipped } = resumption;
    return new Training(run, folder, environment, {
      priorUpdates: prior,
      step,
      skipped,
      journal: writer,
      points,
      states,
      conditions,
    });
  }

  /** Optimizer steps done. */
  get step(): number {
    return this.#step;
  }

  close(): void {
    this.#journal.close();
  }

  async finish(): Promise<RunRecord> {
    const { signal } = this.#environment;
    const last = this.#run.steps;
    let nextBatch = this.#step < last ? this.#batch(this.#step) : undefined;
    while (true) {
      const isCheckpoint = isCheckpointStep(this.#run.specification, this.#step);
      if (this.#step === 0 || isCheckpoint) await this.#recordState();
      await this.#evaluateIfDue();
      if (isCheckpoint) await this.#checkpoint();
      if (this.#step === last || nextBatch === undefined) break;
      if (signal?.aborted === true) {
        await this.#checkpoint();
        throw new Interrupted(this.#run.label, this.#step);
      }
      const batch = await nextBatch;
      nextBatch = this.#step + 1 < last ? this.#batch(this.#step + 1) : undefined;
      const diverged = await this.#trainStep(batch);
      if (diverged !== undefined) return await this.#end(diverged);
    }
    return await this.#end({ kind: "completed" });
  }

  /** A step's batch, read ahead. When a run stops, the one that nobody waits for any more may fail unheard. */
  #batch(step: number): Promise<Batch> {
    const { corpus, orderSeed, batchSequences } = this.#run.specification;
    const source = requireCorpus(this.#environment.corpora, corpus.name, corpus.digest);
    const batch = source.batch(step, batchSequences, orderSeed);
    batch.catch(() => {});
    return batch;
  }

  async #trainStep(batch: Batch): Promise<Outcome | undefined> {
    const { session, onProgress } = this.#environment;
    const step = this.#step;
    const learningRate = this.#learningRate;
    const { loss, gradientNorm, outcome } = await session.step(
      batch.tokens,
      learningRate,
      this.#priorUpdates + this.#updates,
    );
    if (outcome === "diverged") {
      const value = Math.fround(Number.isFinite(loss) ? gradientNorm : loss);
      this.#journal.appendDivergence(step, Number.isFinite(loss) ? "gradientNorm" : "loss", value, batch.digest);
      return { kind: "diverged", step, value: String(value) };
    }
    if (outcome === "skipped") {
      this.#journal.appendSkip(step, loss, batch.digest);
      this.#skipped++;
    } else {
      this.#journal.appendStep({ step, learningRate, loss, gradientNorm, batch: batch.digest });
    }
    this.#step++;
    if (this.#step % PROGRESS_INTERVAL === 0 || this.#step === this.#run.steps) {
      onProgress?.({ run: this.#run, step: this.#step, loss });
    }
    return undefined;
  }

  /** Steps done that changed the weights. */
  get #updates(): number {
    return this.#step - this.#skipped;
  }

  /** Rate of the step about to be done: the schedule moves on with updates. */
  get #learningRate(): number {
    return this.#rates[Math.min(this.#updates, this.#rates.length - 1)] ?? 0;
  }

  async #evaluateIfDue(): Promise<void> {
    const { evaluation, model, batchSequences } = this.#run.specification;
    const step = this.#step;
    if (!isEvaluationStep(evaluation, step) || (this.#points.at(-1)?.step ?? -1) >= step) return;
    const { session, validation, onProgress } = this.#environment;
    const losses = await validation.losses(session, model.sequenceLength);
    const tokens = step * batchSequences * model.sequenceLength;
    const point: CurvePoint = { step, tokens, learningRate: this.#learningRate, ...losses };
    this.#journal.appendEvaluation(point);
    this.#points.push(point);
    onProgress?.({ run: this.#run, step, point });
  }

  get #dataPosition(): number {
    return this.#step * this.#run.specification.batchSequences;
  }

  async #stateDigest(): Promise<Digest> {
    return stateDigest(await this.#environment.session.readState(), this.#step, this.#dataPosition);
  }

  async #recordState(): Promise<void> {
    const state = await this.#stateDigest();
    this.#journal.appendState(this.#step, state);
    if (this.#states.at(-1)?.step !== this.#step) this.#states.push({ step: this.#step, state });
  }

  /**
   * Journal first, then curves, then the checkpoint: a checkpoint never knows more than the journal. One that an
   * interruption leaves between the scheduled steps has no state in the journal.
   */
  async #checkpoint(): Promise<void> {
    const { session } = this.#environment;
    const { key, specification } = this.#run;
    const recorded = this.#states.at(-1);
    const state = recorded?.step === this.#step ? recorded.state : await this.#stateDigest();
    await this.#journal.sync();
    await this.#folder.writeCurves(this.#curves());
    const path = this.#folder.checkpoint(this.#step);
    const info = {
      run: key,
      step: this.#step,
      dataPosition: this.#dataPosition,
      state,
      ...(this.#conditions === undefined ? {} : { conditions: this.#conditions }),
    };
    await writeCheckpoint(path, specification.model, await session.readState(), info, this.#folder.files);
  }

  #curves(outcome?: Outcome): Curves {
    const { bytesPerToken } = headerOf(this.#run, this.#environment.corpora);
    const diverged = outcome?.kind === "diverged" ? { step: outcome.step, loss: outcome.value } : undefined;
    return curvesOfPoints(this.#run, bytesPerToken, this.#points, diverged);
  }

  async #end(outcome: Outcome): Promise<RunRecord> {
    await this.#journal.sync();
    await this.#folder.writeCurves(this.#curves(outcome));
    // Others are those that an interruption left between the scheduled steps, and those of a longer plan.
    const checkpoints = this.#states.map(({ step }) => step).filter((step) => step > 0);
    await this.#folder.keepCheckpoints(checkpoints);
    const record: RunRecord = {
      format: "rewarm run v1",
      key: this.#run.key,
      label: this.#run.label,
      steps: this.#step,
      outcome,
      journalRoot: this.#journal.chain,
      states: this.#states,
      ...(this.#conditions === undefined ? {} : { conditions: this.#conditions }),
      files: {
        journal: await this.#folder.digest(this.#folder.journal),
        curves: await this.#folder.digest(this.#folder.curves),
        checkpoints: await this.#folder.checkpointDigests(checkpoints),
      },
    };
    await this.#folder.writeRecord(record);
    return record;
  }
}
