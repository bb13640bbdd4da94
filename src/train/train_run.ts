/** One run from its start, or from its newest good checkpoint, to its end. */
import { ownMember } from "../digest/own_member.ts";
import type { Digest } from "../digest/sha256.ts";
import type { Session } from "../engine/engine.ts";
import { type ErrorCode, UserError } from "../errors.ts";
import { isCheckpointStep } from "../experiment/run/evaluation.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { removeLeftovers } from "../files/durable.ts";
import type { CurvePoint, Curves } from "../results/curves.ts";
import { learningRateTable } from "../schedule/learning_rate.ts";
import {
  checkpointName,
  type ExpectedCheckpoint,
  readAndDigestCheckpoint,
  writeCheckpoint,
} from "./checkpoint/checkpoint.ts";
import { digestCheckpoint } from "./checkpoint/checkpoint_digest.ts";
import { type ConditionPeriod, type Conditions, continueUnder } from "./conditions.ts";
import type { Deadline } from "./deadline.ts";
import { DueRecords } from "./journal/due_records.ts";
import type { Corpora, ValidationSets } from "./evaluation/evaluation.ts";
import {
  type FindParent,
  loadInitialState,
  type ParentState,
  priorUpdates,
  type StartSources,
} from "./start/initial_state.ts";
import { JournalWriter } from "./journal/journal.ts";
import { curvePoint, curvesOfPoints } from "./journal/journal_curves.ts";
import type { WrittenHeader } from "./journal/journal_header.ts";
import { type DivergenceRecord, type EvaluationRecord, fromBits } from "./journal/journal_record.ts";
import type { Outcome, RecordedState, RunFolder, RunRecord } from "./folder/run_folder.ts";
import { headerOf } from "./run_header.ts";
import { runRecords } from "./run_records.ts";
import { stateDigest } from "./checkpoint/state_digest.ts";
import { trainedFrom, type TrainedPeriod, type TrainerFacts } from "./folder/trained_by.ts";

/** Steps between progress reports. */
const PROGRESS_INTERVAL = 4;
/** Codes of errors that say nothing against a file: once the user has helped, it may be as good as ever. */
const NOT_DAMAGED: readonly ErrorCode[] = [
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
  /** of these steps, how many changed the weights */
  readonly updates: number;
  readonly header: WrittenHeader;
  readonly journal: JournalWriter;
  readonly points: CurvePoint[];
  readonly states: RecordedState[];
  readonly conditions: readonly ConditionPeriod[] | undefined;
  /** digests of the checkpoints by their names, for those that are there */
  readonly digests: Record<string, Digest>;
  readonly trainedBy: readonly TrainedPeriod[];
}

class Training {
  readonly #run: PlannedRun;
  readonly #folder: RunFolder;
  readonly #environment: RunEnvironment;
  readonly #start: Start;
  #step: number;
  /** when the last step ended, or the checkpoint after it */
  #lastStop: number | undefined;

  private constructor(run: PlannedRun, folder: RunFolder, environment: RunEnvironment, start: Start) {
    this.#run = run;
    this.#folder = folder;
    this.#environment = environment;
    this.#start = start;
    this.#step = start.step;
  }

  /** Resumes from the newest good checkpoint, or starts anew. */
  static async start(run: PlannedRun, folder: RunFolder, environment: RunEnvironment): Promise<Training> {
    const { onWarning = () => {} } = environment;
    // What a penalty pulls towards is no part of a checkpoint: it follows from the run's start.
    if (run.specification.penalty !== undefined) await loadInitialState(run, environment.session, environment);
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
    await environment.requireHeld?.();
    const header = await headerOf(run, environment.corpora, environment.validations);
    const journal = await JournalWriter.create(folder.journal, header, folder.files);
    const conditions = continueUnder(run.label, 0, undefined, environment.conditions, true);
    return new Training(run, folder, environment, {
      priorUpdates: await priorUpdates(run, environment),
      step: 0,
      updates: 0,
      header,
      journal,
      points: [],
      states: [],
      conditions,
      digests: {},
      trainedBy: trainedFrom(0, [], environment.trainer),
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
    const header = await headerOf(run, corpora, environment.validations);
    const validation = header.version === 3 ? header.validation : undefined;
    await environment.requireHeld?.();
    const { writer, resumption } = await JournalWriter.resume(folder.journal, header, step, {
      files: folder.files,
      due,
    });
    const points = resumption.evaluations.map((record) => curvePoint(record, validation));
    const states = [...resumption.states];
    const notes = await folder.readNotes();
    const expected: ExpectedCheckpoint = { run: run.key, step, state: resumption.state };
    let conditions: readonly ConditionPeriod[] | undefined;
    let prior: number;
    let digests: Record<string, Digest>;
    try {
      prior = await priorUpdates(run, environment);
      // The run's record will vouch for the earlier checkpoints too, and other runs may start from them.
      digests = await earlierDigests(run, folder, states.filter((state) => state.step > 0 && state.step < step), {
        known: notes?.key === run.key && environment.isDoubtful !== true ? notes.checkpoints : undefined,
      });
      await session.writeState(async (target) => {
        const path = folder.checkpoint(step);
        const { info, file } = await readAndDigestCheckpoint(
          path,
          run.specification.model,
          target,
          expected,
          folder.files,
        );
        conditions = info.conditions;
        if (resumption.state !== undefined) digests[checkpointName(step)] = file;
      });
      conditions = continueUnder(run.label, step, conditions, environment.conditions, acceptOtherConditions);
    } catch (error) {
      writer.close();
      throw error;
    }
    if (resumption.problem !== undefined) {
      onWarning(`Journal of run "${run.label}" was cut back to step ${step}: ${resumption.problem}`);
    }
    return new Training(run, folder, environment, {
      priorUpdates: prior,
      step,
      updates: step - resumption.skipped,
      header,
      journal: writer,
      points,
      states,
      conditions,
      digests,
      trainedBy: trainedFrom(step, notes?.key === run.key ? notes.trainedBy : [], environment.trainer),
    });
  }

  /** Optimizer steps done. */
  get step(): number {
    return this.#step;
  }

  close(): void {
    this.#start.journal.close();
  }

  /** Appends the records that are left to the journal, with checkpoints where they are due. */
  async finish(): Promise<RunRecord> {
    await this.#writeNotes();
    const { session, corpora, validations, onProgress } = this.#environment;
    const { priorUpdates, step, updates, header, journal, points, states } = this.#start;
    const pointOf = (record: EvaluationRecord) =>
      curvePoint(record, header.version === 3 ? header.validation : undefined);
    const { specification, steps: last } = this.#run;
    const rates = learningRateTable(specification.schedule);
    const means = { session, corpora, validations, rates, priorUpdates };
    for await (const event of runRecords(this.#run, means, { from: { step, updates }, to: last })) {
      switch (event.kind) {
        case "input":
          continue;
        case "reached":
          this.#step = event.step;
          await this.#stopOver();
          continue;
        case "state":
          states.push({ step: event.step, state: event.state });
          break;
        case "evaluation":
          points.push(pointOf(event));
          break;
      }
      journal.append(event);
      switch (event.kind) {
        case "evaluation":
          onProgress?.({ run: this.#run, step: event.step, point: pointOf(event) });
          break;
        case "step":
        case "skip": {
          const step = event.step + 1;
          const isShown = step % PROGRESS_INTERVAL === 0 || step === last;
          if (isShown) onProgress?.({ run: this.#run, step, loss: fromBits(event.loss) });
          break;
        }
        case "divergence":
          return await this.#end(divergenceOf(event));
      }
    }
    return await this.#end({ kind: "completed" });
  }

  /** Between two steps: a checkpoint if one is due, and here a run stops when it is asked to. */
  async #stopOver(): Promise<void> {
    const { specification, steps, label } = this.#run;
    const { signal, deadline } = this.#environment;
    this.#time(deadline);
    const isStopped = (signal?.aborted === true || deadline?.isDue === true) && this.#step < steps;
    if (isStopped && this.#step === this.#start.step && signal?.aborted !== true) deadline?.requireTime(label);
    if (isStopped || isCheckpointStep(specification, this.#step)) await this.#checkpoint();
    if (isStopped) throw new Interrupted(label, this.#step);
  }

  /** Tells the deadline how long a step took, and what belongs to it. */
  #time(deadline: Deadline | undefined): void {
    const now = performance.now();
    if (this.#lastStop !== undefined) deadline?.stepTook((now - this.#lastStop) / 1000);
    this.#lastStop = now;
  }

  get #dataPosition(): number {
    return this.#step * this.#run.specification.batchSequences;
  }

  /**
   * Journal first, then curves, then the checkpoint: a checkpoint never knows more than the journal. One that an
   * interruption leaves between the scheduled steps has no state in the journal.
   */
  async #checkpoint(): Promise<void> {
    const { session } = this.#environment;
    const { key, specification } = this.#run;
    const { journal, states, conditions } = this.#start;
    const begun = performance.now();
    await this.#environment.requireHeld?.();
    const recorded = states.at(-1);
    const isRecorded = recorded?.step === this.#step;
    const state = recorded?.step === this.#step
      ? recorded.state
      : stateDigest(await session.readState(), this.#step, this.#dataPosition);
    await journal.sync();
    await this.#folder.writeCurves(this.#curves());
    const path = this.#folder.checkpoint(this.#step);
    const info = {
      run: key,
      step: this.#step,
      dataPosition: this.#dataPosition,
      state,
      conditions,
    };
    const digest = await writeCheckpoint(
      path,
      specification.model,
      await session.readState(),
      info,
      this.#folder.files,
    );
    if (isRecorded) {
      this.#start.digests[checkpointName(this.#step)] = digest;
      await this.#writeNotes();
    }
    this.#lastStop = performance.now();
    this.#environment.deadline?.checkpointTook((this.#lastStop - begun) / 1000);
  }

  /** Who trains, before the first step; and a checkpoint's digest, once the checkpoint is there. */
  async #writeNotes(): Promise<void> {
    const { digests, trainedBy } = this.#start;
    await this.#folder.writeNotes({
      format: "rewarm training v1",
      key: this.#run.key,
      trainedBy,
      checkpoints: digests,
    });
  }

  #curves(outcome?: Outcome): Curves {
    const { header } = this.#start;
    const diverged = outcome?.kind === "diverged" ? { step: outcome.step, loss: outcome.value } : undefined;
    return curvesOfPoints(this.#run, header, this.#start.points, diverged);
  }

  async #end(outcome: Outcome): Promise<RunRecord> {
    const { journal, states, conditions, digests } = this.#start;
    await this.#environment.requireHeld?.();
    await journal.sync();
    await this.#folder.writeCurves(this.#curves(outcome));
    // Others are those that an interruption left between the scheduled steps, and those of a longer plan.
    const checkpoints = states.map(({ step }) => step).filter((step) => step > 0);
    await this.#folder.keepCheckpoints(checkpoints);
    const record: RunRecord = {
      format: "rewarm run v1",
      key: this.#run.key,
      label: this.#run.label,
      steps: this.#step,
      outcome,
      journalRoot: journal.chain,
      states,
      conditions,
      files: {
        journal: await this.#folder.digest(this.#folder.journal),
        curves: await this.#folder.digest(this.#folder.curves),
        checkpoints: Object.fromEntries(checkpoints.map((step) => {
          const name = checkpointName(step);
          const digest = digests[name];
          if (digest === undefined) throw new Error(`Checkpoint "${name}" of run "${this.#run.label}" has no digest`);
          return [name, digest];
        })),
      },
    };
    await this.#folder.writeRecord(record);
    return record;
  }
}

/**
 * Digests of the checkpoints before the one that a run resumes from: those taken when they were written. What has none
 * is read.
 *
 * @param states those that the journal records, ascending
 * @throws {UserError} `FILE_NOT_FOUND` if a checkpoint is not there; as `digestCheckpoint`; `BAD_CHECKPOINT` if it holds
 * another state than the journal records
 */
async function earlierDigests(
  run: PlannedRun,
  folder: RunFolder,
  states: readonly RecordedState[],
  { known = {} }: { readonly known?: Readonly<Record<string, Digest>> },
): Promise<Record<string, Digest>> {
  const there = new Set(await folder.checkpointSteps());
  const digests: Record<string, Digest> = {};
  for (const { step, state } of states) {
    const name = checkpointName(step);
    const path = folder.checkpoint(step);
    const taken = there.has(step) ? ownMember(known, name) : undefined;
    if (taken !== undefined) {
      digests[name] = taken;
      continue;
    }
    const { file, info } = await digestCheckpoint(path, run.specification.model, folder.files);
    if (info.run !== run.key || info.step !== step || info.state !== state) {
      throw new UserError(
        "BAD_CHECKPOINT",
        `"${path}" does not hold the state that the journal records at step ${step}`,
      );
    }
    digests[name] = file;
  }
  return digests;
}

function divergenceOf({ step, value }: DivergenceRecord): Outcome {
  return { kind: "diverged", step, value: String(fromBits(value)) };
}
