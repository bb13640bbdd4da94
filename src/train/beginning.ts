/** Where a run's training begins: at its start, or at its newest good checkpoint. */
import { ownMember } from "../digest/own_member.ts";
import type { Digest } from "../digest/sha256.ts";
import { type ErrorCode, UserError } from "../errors.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import type { CurvePoint } from "../results/curves.ts";
import { learningRateTable } from "../schedule/learning_rate.ts";
import { checkpointName, type ExpectedCheckpoint, readAndDigestCheckpoint } from "./checkpoint/checkpoint.ts";
import { digestCheckpoint } from "./checkpoint/checkpoint_digest.ts";
import { type ConditionPeriod, continueUnder } from "./conditions.ts";
import type { RecordedState, RunFolder } from "./folder/run_folder.ts";
import { trainedFrom, type TrainedPeriod } from "./folder/trained_by.ts";
import { DueRecords } from "./journal/due_records.ts";
import { JournalWriter } from "./journal/journal.ts";
import { curvePoint } from "./journal/journal_curves.ts";
import type { WrittenHeader } from "./journal/journal_header.ts";
import type { RunEnvironment } from "./run_environment.ts";
import { headerOf } from "./run_header.ts";
import { loadInitialState, priorUpdates } from "./start/initial_state.ts";

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

/** What is known of a run where its training begins. */
export interface Beginning {
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

/**
 * The newest good checkpoint of a run, or its start: the session holds the state, and the journal ends there.
 *
 * @throws {UserError} as `trainRun`
 */
export async function findBeginning(
  run: PlannedRun,
  folder: RunFolder,
  environment: RunEnvironment,
): Promise<Beginning> {
  const { onWarning = () => {} } = environment;
  // What a penalty pulls towards is no part of a checkpoint: it follows from the run's start.
  if (run.specification.penalty !== undefined) await loadInitialState(run, environment.session, environment);
  for (const step of await folder.checkpointSteps()) {
    // A run begins as its specification says, whatever may be stored for step 0.
    if (step > run.steps || step === 0) continue;
    try {
      return await resumeFrom(run, folder, environment, step);
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
  return {
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
  };
}

async function resumeFrom(
  run: PlannedRun,
  folder: RunFolder,
  environment: RunEnvironment,
  step: number,
): Promise<Beginning> {
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
  return {
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
  };
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
