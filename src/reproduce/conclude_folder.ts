/** What others trained, judged, reported and signed: the end of a reproduction, without its training. */
import { UserError } from "../errors.ts";
import { ENGINES } from "../engine/catalogue.ts";
import type { EngineDescription } from "../engine/engine.ts";
import { EXPERIMENT_SETS, type ExperimentFolders } from "../experiment/catalogue.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import { claimOutputFolder, lockOutputFolder } from "../files/output_lock.ts";
import { filesWithin } from "../files/files_within.ts";
import type { FileSystem } from "../files/file_system.ts";
import { folderArtefacts } from "../manifest/verify/folder_artefacts.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import { FinishedRuns } from "../train/folder/finished_runs.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import type { RunResult } from "../train/run_trainer.ts";
import { openShared, type SharedPlaces } from "../worker/open_shared.ts";
import { readSharedPlan } from "../worker/shared_plan.ts";
import { standings } from "../worker/standing.ts";
import { planStatus, type RunStatus } from "../worker/status.ts";
import { planText, type ReadyPlan } from "./carry_out.ts";
import { conclude } from "./conclude.ts";
import { describeRuns } from "./describe_runs.ts";
import { type Gathered, gatherRuns } from "./gather.ts";
import { digestsOf, readInputs } from "./inputs.ts";
import type { Reproduction } from "./options.ts";
import { loadPaper } from "./paper_file.ts";
import { replan } from "./replan.ts";
import { withTrainers } from "./trainers.ts";

/** What is concluded, and with what. */
export interface ConcludeOptions extends ExperimentFolders {
  /** the folder that has the plan, and gets all that is signed */
  readonly output: string;
  /** further folders with runs of the same plan */
  readonly from?: readonly string[];
  /** where data are on this machine: the manifest says of what texts the runs are */
  readonly places: SharedPlaces;
  /** the lockfile that data were held against; the project's own if absent */
  readonly lockFile?: string;
  readonly signingKey: () => Promise<SigningKey>;
  /** the command as it was given, for the manifest */
  readonly command?: readonly string[];
  readonly fileSystem?: FileSystem;
  /** told on the way */
  readonly events?: ConcludeEvents;
}

/** What happens on the way, for whoever shows it. */
export interface ConcludeEvents {
  /** runs were brought in from other folders */
  readonly onGathered?: (gathered: Gathered) => void;
  /** the files of a run are read and compared with its record */
  readonly onCheck?: (label: string) => void;
  /** something the user should know, in a whole sentence */
  readonly onWarning?: (message: string) => void;
}

/** What came of it. */
export type Conclusion =
  | { readonly kind: "signed"; readonly reproduction: Reproduction }
  /** runs are not done: nothing was signed */
  | { readonly kind: "missing"; readonly missing: readonly RunStatus[] };

/**
 * Judges, reports and signs what lies in an output folder and in others. Nothing is trained; every file that is signed
 * is read first and held against the record of its run.
 *
 * @throws {UserError} `RECORDS_DIFFER` where two folders have different outcomes of one run; `RUN_CONTRADICTORY` where a
 * run's files are not those of its record; `OUTPUT_FOLDER_OF_ANOTHER_PLAN` where the experiments here give another plan
 */
export async function concludeFolder(options: ConcludeOptions): Promise<Conclusion> {
  const { output, from = [], fileSystem: files = filesWithin(output), events = {} } = options;
  const plan = await planOf(output, from, files);
  const { paper, inputs } = await rulesOf(plan, options);
  using opened = await openShared(plan, options.places);
  await using _lock = await lockOutputFolder(output, files);
  await claimOutputFolder(output, planText(plan), () => false, files);
  const { corpora, shortages } = opened;
  if (from.length > 0) {
    const gathered = await gatherRuns(plan, output, from, files);
    events.onGathered?.(gathered);
  }
  const finished = new FinishedRuns(output, corpora, files);
  const results = (await standings(plan.runs, finished))
    .filter((each): each is RunResult => each.kind === "trained" || each.kind === "skipped");
  if (results.length < plan.runs.length) {
    const done = new Set(results.map(({ run }) => run.key));
    const { runs } = await planStatus(plan, output, { files });
    return { kind: "missing", missing: runs.filter((_, index) => !done.has(plan.runs[index]?.key ?? "" as never)) };
  }
  const key = await options.signingKey(); // fail on a missing key before terabytes are hashed
  for (const { run, kind } of results) {
    if (kind === "skipped") continue;
    events.onCheck?.(run.label);
    const found = await finished.check(run);
    if (found.kind === "contradictory") throw contradictory(run.label, found.flaw, output);
  }
  const runs = await withTrainers(await describeRuns(results, folderArtefacts(output, files)), output, files);
  const ready: ReadyPlan = { paper, inputs, plan, corpora, shortages };
  const engine = await engineOf(plan, results, output, files);
  const reproduction = await conclude(
    {
      scale: plan.scale.name,
      engine,
      threads: 0,
      output,
      fileSystem: files,
      files: options.places.corpusFiles,
      command: options.command,
      events: { onWarning: events.onWarning },
    },
    ready,
    results,
    runs,
    key,
  );
  return { kind: "signed", reproduction };
}

/** The folder's own plan, or that of the first of the others where it has none yet. */
async function planOf(output: string, from: readonly string[], files: FileSystem): Promise<Plan> {
  const [first] = from;
  const hasPlan = await files.status(`${output}/plan.json`) !== undefined;
  if (hasPlan || first === undefined) return await readSharedPlan(output, files);
  return await readSharedPlan(first, filesWithin(first));
}

/** The rules that belong to a plan: those of the set of experiments that gives it. */
async function rulesOf(plan: Plan, options: ConcludeOptions): Promise<Pick<ReadyPlan, "paper" | "inputs">> {
  const sets = options.set === undefined ? EXPERIMENT_SETS : [options.set];
  for (const set of sets) {
    const folders = { ...options, set };
    const inputs = digestsOf(await readInputs(plan.scale.name, folders));
    const { planDigest } = await replan(plan, inputs, folders);
    if (planDigest === plan.planDigest) return { paper: await loadPaper(folders), inputs };
  }
  throw new UserError(
    "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
    "The experiments and scales here give another plan than the one in the folder",
    "conclude with the version of rewarm that made the plan, and with --experiments DIR if it had experiments of your own",
  );
}

/** The engine as the runs' notes name it. */
async function engineOf(
  { engine }: Plan,
  results: readonly RunResult[],
  output: string,
  files: FileSystem,
): Promise<EngineDescription> {
  for (const { run, kind } of results) {
    if (kind === "skipped") continue;
    const notes = await new RunFolder(output, run.label, files).readNotes();
    const named = notes?.trainedBy[0]?.engine;
    if (named !== undefined) return { ...named, ...engine };
  }
  const known = ENGINES.find(({ identity }) =>
    identity.level === engine.level && identity.arithmetic === engine.arithmetic
  );
  return { name: known?.name ?? engine.arithmetic, description: {}, ...engine };
}

function contradictory(label: string, flaw: string, output: string): UserError {
  return new UserError(
    "RUN_CONTRADICTORY",
    `Run "${label}" is not what its record says: ${flaw}`,
    `remove "${output}/runs/${label}" and train it again with --run, or give deno task reproduce without --join, which ` +
      "goes on from its newest good checkpoint",
  );
}
