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
import { type Corpora, requireCorpus, type Validation, validationBytesPerToken } from "./evaluation.ts";
import { type ConditionPeriod, type Conditions, continueUnder } from "./conditions.ts";
import { loadInitialState, priorUpdates, type StartSources } from "./initial_state.ts";
import { JournalWriter } from "./journal.ts";
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
  /** go on even where a checkpoint was computed under other conditions */
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

/**
 * Trains a run, or what is left of it.
 *
 * @throws {Interrupted} when `signal` is aborted
 * @throws {UserError} if the data are not those planned, or files cannot be read or written
 */
export async function trainRun(run: PlannedRun, folder: RunFolder, environment: RunEnvironment): Promise<RunRecord> {
  const finished = await folder.finished(run);
  if (finished !== undefined) return finished;
  await removeLeftovers(folder.path, folder.files);
  await removeLeftovers(folder.checkpoints, folder.files);
  const training = await Training.start(run, folder, environment);
  try {
    return await training.finish();
  } finally {
    training.close();
  }
}

/** Where training begins or goes on. */
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

  /** Goes on from the newest good checkpoint, or starts anew. */
  static async start(run: PlannedRun, folder: RunFolder, environment: RunEnvironment): Promise<Training> {
    const { onWarning = () => {} } = environment;
    for (const step of await folder.checkpointSteps()) {
      if (step > run.steps) continue;
      try {
        return await Training.#resume(run, folder, environment, step);
      } catch (error) {
        if (!(error instanceof UserError) || NOT_DAMAGED.includes(error.code)) throw error;
        onWarning(`Run "${run.label}": step ${step} cannot be resumed from. ${error.message}`);
      }
    }
    await loadInitialState(run, environment.session, environment);
    const journal = await JournalWriter.create(folder.journal, run.key, folder.files);
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
    const { session, acceptOtherConditions = false, onWarning = () => {} } = environment;
    const curves = await folder.readCurves();
    if (curves.runKey !== run.key) throw new UserError("BAD_CURVES", `"${folder.curves}" is not this run's`);
    const points = curves.points.filter((point) => point.step <= step);
    const { writer, resumption } = await JournalWriter.resume(folder.journal, run.key, step, folder.files);
    const states = resumption.states.filter((recorded) => recorded.step <= step);
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

  close(): void {
    this.#journal.close();
  }

  async finish(): Promise<RunRecord> {
    const { signal } = this.#environment;
    const last = this.#run.steps;
    if (this.#step === 0) await this.#recordState();
    let nextBatch = this.#step < last ? this.#batch(this.#step) : undefined;
    while (true) {
      await this.#evaluateIfDue();
      if (isCheckpointStep(this.#run.specification, this.#step)) await this.#checkpoint(true);
      if (this.#step === last || nextBatch === undefined) break;
      if (signal?.aborted === true) {
        await this.#checkpoint(false);
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
      const value = Number.isFinite(loss) ? gradientNorm : loss;
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
    this.#points.push(point);
    onProgress?.({ run: this.#run, step, point });
  }

  get #dataPosition(): number {
    return this.#step * this.#run.specification.batchSequences;
  }

  async #stateDigest(): Promise<Digest> {
    return stateDigest(await this.#environment.session.readState(), this.#step, this.#dataPosition);
  }

  async #recordState(): Promise<RecordedState> {
    const state = await this.#stateDigest();
    const recorded = { step: this.#step, state };
    this.#journal.appendState(this.#step, state);
    if (this.#states.at(-1)?.step !== this.#step) this.#states.push(recorded);
    return recorded;
  }

  /**
   * Journal first, then curves, then the checkpoint: a checkpoint never knows more than the journal.
   *
   * @param scheduled whether the journal records the state; after an interruption it must not
   */
  async #checkpoint(scheduled: boolean): Promise<void> {
    const { session } = this.#environment;
    const { key, specification } = this.#run;
    const state = scheduled ? (await this.#recordState()).state : await this.#stateDigest();
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

  #curves(diverged?: Outcome): Curves {
    const { key, label, specification } = this.#run;
    return {
      runKey: key,
      label,
      tokensPerStep: specification.batchSequences * specification.model.sequenceLength,
      bytesPerToken: validationBytesPerToken(this.#environment.corpora),
      points: this.#points,
      ...(diverged?.kind === "diverged" ? { diverged: { step: diverged.step, loss: diverged.value } } : {}),
    };
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
