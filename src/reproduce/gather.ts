/** Runs from several folders brought into one: what was trained on machines without a shared disk. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { UserError } from "../errors.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { writeFileDurably } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { filesWithin } from "../files/files_within.ts";
import { readChunks } from "../files/read_file.ts";
import { lookUpRun } from "../train/folder/found_run.ts";
import { readJournal } from "../train/journal/journal_reader.ts";
import { RunFolder, type RunRecord } from "../train/folder/run_folder.ts";

/** What gathering did. */
export interface Gathered {
  /** labels of runs that were copied, with the folder that they came from */
  readonly copied: readonly { readonly label: string; readonly from: string }[];
  /** labels of runs that several folders have, alike */
  readonly agreeing: readonly string[];
}

/** A folder with runs, and how its files are read. */
interface Place {
  readonly path: string;
  readonly files: FileSystem;
}

/**
 * Copies the runs that are done in other folders and not in the output folder. Records of one run are compared wherever
 * they lie.
 *
 * @param output the folder that is to have all runs
 * @param others output folders of the same plan, or of a part of it
 * @param openFiles how the files of another folder are reached; below it no link is followed by default
 * @throws {UserError} `RECORDS_DIFFER` naming both folders and the first step that differs;
 * `OUTPUT_FOLDER_OF_ANOTHER_PLAN` if a folder has another run of the same name
 */
export async function gatherRuns(
  plan: Plan,
  output: string,
  others: readonly string[],
  files: FileSystem = DENO_FILES,
  openFiles: (path: string) => FileSystem = filesWithin,
): Promise<Gathered> {
  const places = [{ path: output, files }, ...others.map((path) => ({ path, files: openFiles(path) }))];
  for (const { path, files } of places) await requireFolder(path, files);
  const copied: { label: string; from: string }[] = [];
  const agreeing: string[] = [];
  for (const run of plan.runs) {
    const found = await recordsOf(run, places);
    const [first, ...further] = found;
    if (first === undefined) continue;
    for (const other of further) await requireSame(run, first, other);
    if (further.length > 0) agreeing.push(run.label);
    if (first.place.path === output) continue;
    await copyRun(run, first.record, first.place, { path: output, files });
    copied.push({ label: run.label, from: first.place.path });
  }
  return { copied, agreeing };
}

async function requireFolder(path: string, files: FileSystem): Promise<void> {
  const status = await files.status(path);
  if (status?.kind === "folder" || status?.kind === "link") return;
  throw new UserError(
    status === undefined ? "FILE_NOT_FOUND" : "NOT_A_FOLDER",
    status === undefined ? `There is no folder "${path}"` : `"${path}" is no folder`,
    "give an output folder, with runs/ in it",
  );
}

interface FoundRecord {
  readonly place: Place;
  readonly record: RunRecord;
}

async function recordsOf(run: PlannedRun, places: readonly Place[]): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  for (const place of places) {
    const state = await lookUpRun(run, new RunFolder(place.path, run.label, place.files));
    if (state.kind === "finished") found.push({ place, record: state.record });
  }
  return found;
}

/** Two records of one key say the same, whoever trained. */
async function requireSame(run: PlannedRun, a: FoundRecord, b: FoundRecord): Promise<void> {
  if (canonicalJson(a.record) === canonicalJson(b.record)) return;
  const step = await firstDifference(run, a.place, b.place);
  throw new UserError(
    "RECORDS_DIFFER",
    `Run "${run.label}" came out differently in "${a.place.path}" and "${b.place.path}"` +
      (step === undefined ? ", with the same journal" : `: the first difference is at step ${step}`),
    "one of them is not what its key promises; retrain a piece around that step, or leave one folder out",
  );
}

/** The step of the first record in which two journals differ; undefined if they have the same records. */
async function firstDifference(run: PlannedRun, a: Place, b: Place): Promise<number | undefined> {
  const [ofA, ofB] = [await chainOf(run, a), await chainOf(run, b)];
  for (let index = 0; index < Math.max(ofA.length, ofB.length); index++) {
    if (ofA[index]?.chain !== ofB[index]?.chain) return ofA[index]?.step ?? ofB[index]?.step;
  }
  return undefined;
}

async function chainOf(run: PlannedRun, { path, files }: Place): Promise<{ step: number; chain: string }[]> {
  const records: { step: number; chain: string }[] = [];
  const { journal } = new RunFolder(path, run.label, files);
  await readJournal(readChunks(journal, files), run.key, ({ step }, { chain }) => {
    records.push({ step, chain });
  });
  return records;
}

/** The record last: until then the run is not done where it is copied to. */
async function copyRun(run: PlannedRun, record: RunRecord, from: Place, to: Place): Promise<void> {
  const source = new RunFolder(from.path, run.label, from.files);
  const target = new RunFolder(to.path, run.label, to.files);
  const copy = async (name: string) => {
    await writeFileDurably(`${target.path}/${name}`, readChunks(`${source.path}/${name}`, from.files), {
      files: to.files,
    });
  };
  for (const name of Object.keys(record.files.checkpoints).sort()) await copy(`checkpoints/${name}`);
  await copy("journal.jsonl");
  await copy("curves.json");
  const notes = await source.readNotes();
  if (notes !== undefined) await target.writeNotes(notes);
  await target.writeRecord(record);
}
