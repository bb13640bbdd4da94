/**
 * Whether a run that a folder says is done can be taken as it is: its record, journal, curve and checkpoints must agree
 * with each other and with the plan. Whoever can write to the folder can make them agree, so that a run found is said to
 * be found, and training it again (`--retrain`) is what shows that it was trained.
 */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { sha256, shortDigest } from "../../digest/sha256.ts";
import { type ErrorCode, UserError } from "../../errors.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { createFileHash } from "../../files/file_digest.ts";
import { readChunks, readStart } from "../../files/read_file.ts";
import { parseCurves } from "../../results/curves_schema.ts";
import { learningRateTable } from "../../schedule/learning_rate.ts";
import { checkpointName } from "../checkpoint/checkpoint.ts";
import { digestCheckpoint } from "../checkpoint/checkpoint_digest.ts";
import type { ConditionPeriod } from "../conditions.ts";
import { DueRecords } from "../journal/due_records.ts";
import { earlierVersion, requireHeader } from "../journal/journal.ts";
import { curveDifference, curvesOfJournal } from "../journal/journal_curves.ts";
import { formatHeader, journalVersion, type WrittenHeader } from "../journal/journal_header.ts";
import { type JournalReading, readJournal } from "../journal/journal_reader.ts";
import { fromBits } from "../journal/journal_record.ts";
import type { RunFolder, RunRecord } from "./run_folder.ts";

/** What a folder holds of a planned run. */
export type FoundRun =
  /** no run that is done, or not far enough for the plan */
  | { readonly kind: "unfinished" }
  | { readonly kind: "finished"; readonly record: RunRecord }
  /** a run that is said to be done, and in what it contradicts itself */
  | { readonly kind: "contradictory"; readonly flaw: string };

const NOT_THE_DIGEST = 'its digest is not the one in "run.json"';

/** Thrown inside for a contradiction. */
class Contradiction extends Error {}

/** Codes of errors by which a file is not what it should be; others say that it could not be looked at. */
export const FLAWS: readonly ErrorCode[] = [
  "FILE_NOT_FOUND",
  "FILE_TOO_LARGE",
  "NOT_A_FILE",
  "BAD_CHECKPOINT",
  "BAD_SAFETENSORS",
  "CURVES_SYNTAX",
  "CURVES_TOO_LARGE",
  "INVALID_FIELD",
  "OTHER_JOURNAL",
];

/**
 * Looks for a run that is done, by its record alone: what the record says of other files is not compared with them.
 *
 * @throws {UserError} `OUTPUT_FOLDER_OF_ANOTHER_PLAN` if the folder holds another run of the same name;
 * `JOURNAL_OF_EARLIER_VERSION`; if files cannot be read
 */
export async function lookUpRun(run: PlannedRun, folder: RunFolder): Promise<FoundRun> {
  return await orContradiction(async () => await recordOf(run, folder) ?? await unfinished(run, folder));
}

/**
 * The same, with journal and curve read and held against the record: what a run is worth that another starts from. The
 * checkpoint that it starts from is compared with the record when it is loaded.
 *
 * @param header that the run's journal has by the corpora that the plan was made with
 * @throws {UserError} as {@linkcode lookUpRun}
 */
export async function checkJournalOf(
  run: PlannedRun,
  folder: RunFolder,
  header: WrittenHeader,
): Promise<FoundRun> {
  return await orContradiction(async () => {
    const found = await recordOf(run, folder);
    if (found === undefined) return await unfinished(run, folder);
    await checkRecord(run, folder, found.record, header);
    return found;
  });
}

/**
 * The same, with all checkpoints read as well.
 *
 * @param header that the run's journal has by the corpora that the plan was made with
 * @throws {UserError} as {@linkcode lookUpRun}
 */
export async function checkRun(run: PlannedRun, folder: RunFolder, header: WrittenHeader): Promise<FoundRun> {
  const found = await checkJournalOf(run, folder, header);
  if (found.kind !== "finished") return found;
  return await orContradiction(async () => {
    await checkCheckpoints(run, folder, found.record);
    return found;
  });
}

async function orContradiction(look: () => Promise<FoundRun>): Promise<FoundRun> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Contradiction || (error instanceof UserError && FLAWS.includes(error.code))) {
      return { kind: "contradictory", flaw: error.message };
    }
    throw error;
  }
}

/** A run whose record says that it is done; undefined if there is none, or not far enough for the plan. */
async function recordOf(
  run: PlannedRun,
  folder: RunFolder,
): Promise<Extract<FoundRun, { readonly kind: "finished" }> | undefined> {
  const record = await folder.readRecord();
  if (record === undefined && await folder.hasRecord()) {
    throw new Contradiction(`"${folder.record}" is no record of a run`);
  }
  if (record === undefined) return undefined;
  if (record.key !== run.key) {
    throw new UserError(
      "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
      `"${folder.path}" holds run ${record.key.slice(0, 12)}, but the plan has ${run.key.slice(0, 12)} by that name`,
      "choose another folder with --out DIR, or remove this one to train anew",
    );
  }
  if (record.outcome.kind === "completed" && record.steps < run.steps) return undefined;
  return { kind: "finished", record };
}

/** A run to be trained or resumed; whether it can be resumed is asked before hours go into those before it. */
async function unfinished(run: PlannedRun, folder: RunFolder): Promise<FoundRun> {
  if ((await folder.checkpointSteps()).length > 0) await refuseEarlierVersion(run, folder);
  return { kind: "unfinished" };
}

/** @throws {UserError} `JOURNAL_OF_EARLIER_VERSION` */
async function refuseEarlierVersion({ key, specification }: PlannedRun, folder: RunFolder): Promise<void> {
  const line = `${formatHeader({ version: 1, run: key })}\n`;
  let start: Uint8Array;
  try {
    start = await readStart(folder.journal, line.length, folder.files);
  } catch (error) {
    // Without a journal nothing is resumed.
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") return;
    throw error;
  }
  if (new TextDecoder().decode(start) === line) {
    throw earlierVersion(folder.journal, 1, journalVersion(specification));
  }
}

async function checkRecord(
  run: PlannedRun,
  folder: RunFolder,
  record: RunRecord,
  header: WrittenHeader,
): Promise<void> {
  if (record.label !== run.label) throw new Contradiction(`"${folder.record}" is that of run "${record.label}"`);
  const reading = await checkJournal(run, folder, record, header);
  await checkCurves(run, folder, record, reading, header);
}

/** The journal: the file recorded, its chain whole, all in it that is due, and what the record says of it. */
async function checkJournal(
  run: PlannedRun,
  folder: RunFolder,
  record: RunRecord,
  header: WrittenHeader,
): Promise<JournalReading> {
  const fail = (flaw: string): never => {
    throw new Contradiction(`journal "${folder.journal}": ${flaw}`);
  };
  const hash = createFileHash();
  const hashed = async function* () {
    for await (const bytes of readChunks(folder.journal, folder.files)) {
      hash.update(bytes);
      yield bytes;
    }
  };
  const due = new DueRecords(run, learningRateTable(run.specification.schedule));
  const reading = await readJournal(hashed(), run.key, (next) => due.visit(next), (found) => {
    requireHeader(folder.journal, found, header);
    return due.begin(found);
  });
  const { problem, steps, chain, states, divergence } = reading;
  if (problem !== undefined) fail(`line ${problem.line}: ${problem.reason}`);
  const missing = due.end(steps);
  if (missing !== undefined) fail(missing);
  if (steps !== record.steps) fail(`it has ${steps} steps, and "run.json" states ${record.steps}`);
  if (chain !== record.journalRoot) {
    fail(`its chain ends in ${shortDigest(chain)}, and "run.json" states ${shortDigest(record.journalRoot)}`);
  }
  const outcome = divergence === undefined
    ? "completed"
    : `diverged at step ${divergence.step} with ${fromBits(divergence.value)}`;
  const stated = record.outcome.kind === "completed"
    ? "completed"
    : `diverged at step ${record.outcome.step} with ${record.outcome.value}`;
  if (outcome !== stated) fail(`it records that the run ${outcome}, and "run.json" states that it ${stated}`);
  for (let index = 0; index < Math.max(states.length, record.states.length); index++) {
    const [found, other] = [states[index], record.states[index]];
    if (found?.step === other?.step && found?.state === other?.state) continue;
    fail(`the states it records and those in "run.json" differ from step ${found?.step ?? other?.step} on`);
  }
  if (hash.finish() !== record.files.journal) fail(NOT_THE_DIGEST);
  return reading;
}

/** The curve: the file recorded, and to the last digit what the journal records. */
async function checkCurves(
  run: PlannedRun,
  folder: RunFolder,
  record: RunRecord,
  { evaluations, divergence }: JournalReading,
  header: WrittenHeader,
): Promise<void> {
  const text = await folder.readCurvesText();
  const recorded = curvesOfJournal(run, {
    bytesPerToken: header.bytesPerToken,
    ...(header.version === 3 ? { validation: header.validation } : {}),
    evaluations,
    divergence,
  });
  const flaw = curveDifference(parseCurves(text, folder.curves), recorded) ??
    (sha256(text) === record.files.curves ? undefined : NOT_THE_DIGEST);
  if (flaw !== undefined) throw new Contradiction(`curve "${folder.curves}": ${flaw}`);
}

/** The checkpoints: one for each state after step 0, the file recorded, and the state that the journal records. */
async function checkCheckpoints(run: PlannedRun, folder: RunFolder, record: RunRecord): Promise<void> {
  const { model, batchSequences } = run.specification;
  const saved = record.states.filter(({ step }) => step > 0);
  const names = Object.keys(record.files.checkpoints).sort().join();
  if (names !== saved.map(({ step }) => checkpointName(step)).sort().join()) {
    throw new Contradiction(`"${folder.record}" does not name the checkpoints of its states`);
  }
  for (const { step, state } of saved) {
    const path = folder.checkpoint(step);
    const fail = (flaw: string): never => {
      throw new Contradiction(`checkpoint "${path}": ${flaw}`);
    };
    const { file, info } = await digestCheckpoint(path, model, folder.files);
    if (info.run !== run.key || info.step !== step || info.dataPosition !== step * batchSequences) {
      fail(`it is that of step ${info.step} of run ${shortDigest(info.run)}`);
    }
    if (info.state !== state) {
      fail(`it holds state ${shortDigest(info.state)}, and the journal records ${shortDigest(state)}`);
    }
    if (!couldHold(record.conditions ?? [], info.conditions ?? [], step)) {
      fail('it was computed under other conditions than "run.json" states');
    }
    if (file !== record.files.checkpoints[checkpointName(step)]) fail(NOT_THE_DIGEST);
  }
}

/** Whether a run's conditions begin with those of a checkpoint, and others began after it. */
function couldHold(all: readonly ConditionPeriod[], saved: readonly ConditionPeriod[], step: number): boolean {
  return canonicalJson(all.slice(0, saved.length)) === canonicalJson(saved) &&
    all.slice(saved.length).every(({ fromStep }) => fromStep >= step);
}
