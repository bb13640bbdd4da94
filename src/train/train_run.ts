/** One run from its start, or from its newest good checkpoint, to its end. */
import { isCheckpointStep } from "../experiment/run/evaluation.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { removeLeftovers } from "../files/durable.ts";
import type { Curves } from "../results/curves.ts";
import { learningRateTable } from "../schedule/learning_rate.ts";
import { type Beginning, findBeginning } from "./beginning.ts";
import { checkpointName, writeCheckpoint } from "./checkpoint/checkpoint.ts";
import { stateDigest } from "./checkpoint/state_digest.ts";
import type { Deadline } from "./deadline.ts";
import type { Outcome, RunFolder, RunRecord } from "./folder/run_folder.ts";
import { curvePoint, curvesOfPoints } from "./journal/journal_curves.ts";
import { type DivergenceRecord, type EvaluationRecord, fromBits } from "./journal/journal_record.ts";
import { Interrupted, type RunEnvironment } from "./run_environment.ts";
import { runRecords } from "./run_records.ts";

/** Steps between progress reports. */
const PROGRESS_INTERVAL = 4;

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

class Training {
  readonly #run: PlannedRun;
  readonly #folder: RunFolder;
  readonly #environment: RunEnvironment;
  readonly #start: Beginning;
  #step: number;
  /** when the last step ended, or the checkpoint after it */
  #lastStop: number | undefined;

  private constructor(run: PlannedRun, folder: RunFolder, environment: RunEnvironment, start: Beginning) {
    this.#run = run;
    this.#folder = folder;
    this.#environment = environment;
    this.#start = start;
    this.#step = start.step;
  }

  /** Resumes from the newest good checkpoint, or starts anew. */
  static async start(run: PlannedRun, folder: RunFolder, environment: RunEnvironment): Promise<Training> {
    return new Training(run, folder, environment, await findBeginning(run, folder, environment));
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

function divergenceOf({ step, value }: DivergenceRecord): Outcome {
  return { kind: "diverged", step, value: String(fromBits(value)) };
}
