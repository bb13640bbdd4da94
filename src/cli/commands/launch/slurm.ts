/** `deno task launch slurm`: a plan's runs as jobs of Slurm. */
import { counted } from "../../../text/numbers.ts";
import { canonicalJson } from "../../../digest/canonical_json.ts";
import { EXIT, hasCode, suggest, UserError } from "../../../errors.ts";
import type { Plan } from "../../../experiment/plan/plan.ts";
import { planToJson } from "../../../experiment/plan/plan_json.ts";
import { claimOutputFolder, lockOutputFolder } from "../../../files/output_lock.ts";
import { type SlurmRanks, SRUN_MPI } from "../../../launch/slurm/batch_script.ts";
import { type PreparedLaunch, prepareLaunch, type SlurmLaunch, writeScripts } from "../../../launch/slurm/launch.ts";
import { isSbatchOption, readSbatchOptions, type SbatchOptions } from "../../../launch/slurm/sbatch_options.ts";
import { type Scheduler, SLURM } from "../../../launch/slurm/scheduler.ts";
import { localFileSystem } from "../../../launch/slurm/shared_folder.ts";
import { submitAll, type Submitted } from "../../../launch/slurm/submit.ts";
import { chooseEngine, ENGINE_OPTIONS } from "../../../engine/catalogue.ts";
import { DENO_FILES } from "../../../files/deno_file_system.ts";
import { digestFile } from "../../../files/file_digest.ts";
import { MANIFEST_FILE } from "../../../manifest/verify/open_manifest.ts";
import { print, printWarning } from "../../../terminal.ts";
import type { WorkerCommand } from "../../../launch/worker_command.ts";
import { parseWholeNumber, type Values } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { EXPERIMENT_OPTIONS } from "../../options/experiment_options.ts";
import { wordsOf } from "../../options/plan_words.ts";
import { SOURCE_OPTIONS } from "../../options/source_options.ts";
import { DEFAULT_KEY, DEFAULT_SCALE } from "../../settings.ts";
import { parsePaths } from "../../typed_paths.ts";
import { wholePath } from "../../user_path.ts";
import { PROJECT_FOLDER } from "../../../files/project.ts";
import { requireWritePermission } from "../../write_permission.ts";
import { unitWords } from "../../../ranks/price_ranks.ts";
import { notShareable } from "../../../ranks/shared_step.ts";
import { LAUNCH_OPTIONS, plannedForLaunch, workerTask, workerWords } from "./options.ts";

/** Enough for a step, an evaluation and a checkpoint at the paper's scale on one GPU. */
const WARN_SECONDS = 300;
/** Jobs of retraining that one launch may submit. */
const MAX_SHARES = 1000;

const OPTIONS = {
  ...LAUNCH_OPTIONS,
  out: { kind: "text", value: "DIR", path: true, help: "output folder, which all nodes share (default: out/SCALE)" },
  "data-cache": {
    kind: "text",
    value: "DIR",
    path: true,
    help: "where workers keep prepared corpora: a shared disk, or one of each node",
  },
  warn: {
    kind: "count",
    value: "SECONDS",
    help: `before the time limit, a worker is told to stop with a checkpoint (default: ${WARN_SECONDS})`,
  },
  mpi: {
    kind: "text",
    value: "NAME",
    help: `with --ranks: how srun starts them, ${SRUN_MPI.join(" (Open MPI) or ")} (MPICH) (default: ${SRUN_MPI[0]})`,
  },
  conclude: { kind: "flag", help: "a last job judges and signs when all others have ended" },
  key: {
    kind: "text",
    value: "FILE",
    path: true,
    help: `private key that --conclude signs with (default: ${DEFAULT_KEY})`,
  },
  retrain: {
    kind: "list",
    value: "all M",
    help: "further jobs train all segments of the manifest again, in M shares at the same time",
  },
  submit: { kind: "flag", help: "submit the jobs; without it they are shown and written down as a script" },
} as const;

/** Words before `--`, and those after it. */
function parted(args: readonly string[]): { readonly own: readonly string[]; readonly sbatch: readonly string[] } {
  const at = args.indexOf("--");
  const own = at < 0 ? args : args.slice(0, at);
  const misplaced = own.find((word) =>
    word.startsWith("-") && isSbatchOption(word) &&
    !Object.hasOwn(OPTIONS, word.replace(/^--?/, "").replace(/=.*/s, ""))
  );
  if (misplaced !== undefined) {
    throw new UserError(
      "UNKNOWN_OPTION",
      `"${misplaced}" is sbatch's option, not rewarm's`,
      `give it after "--": deno task launch slurm … -- ${misplaced}`,
    );
  }
  return { own, sbatch: at < 0 ? [] : args.slice(at + 1) };
}

/** One line a job, by the labels of runs: names with keys are for the queue. */
function tell(
  { submission: { log, afterOk, afterAny }, state, number }: Submitted,
  labels: ReadonlyMap<string, string>,
) {
  const label = (name: string) => labels.get(name) ?? name;
  const ends = afterAny.filter((name) => !afterOk.includes(name));
  const waits = [
    ...afterOk.map((name) => `after ${label(name)}`),
    ...(ends.length > 1
      ? [`when ${ends.length} others have ended`]
      : ends.map((name) => `when ${label(name)} has ended`)),
  ];
  const details = state === "done" ? [] : [...number === undefined ? [] : [`job ${number}`], ...waits];
  print(`  ${state.padEnd(9)}  ${log}${details.length === 0 ? "" : `  (${details.join(", ")})`}`);
}

/** @param scheduler Slurm's own programs, by default */
export async function launchSlurm(args: readonly string[], scheduler: Scheduler = SLURM): Promise<number> {
  const { own, sbatch } = parted(args);
  const { values } = parsePaths(own, OPTIONS);
  requireUsedKey(values);
  const shares = shareCount(values.retrain);
  const options = readSbatchOptions(sbatch, Object.keys(OPTIONS));
  const output = wholePath(values.out ?? `out/${values.scale ?? DEFAULT_SCALE}`).replace(/(?<=.)\/+$/, "");
  const engine = chooseEngine(values);
  const cache = values["data-cache"] === undefined ? [] : [wholePath(values["data-cache"])];
  const plan = await plannedForLaunch(values);
  const ranks = ranksOf(values, plan);
  const prepared = prepareLaunch({
    plan,
    output,
    deno: Deno.execPath(),
    project: PROJECT_FOLDER,
    worker: {
      task: (ranks === undefined ? undefined : engine.ranks?.task) ?? workerTask(values),
      words: [`--out=${output}`, ...cache.map((folder) => `--data-cache=${folder}`), ...workerWords(values)],
      writes: cache,
      threads: engine.task === "reproduce" && values.threads === undefined,
      ranks,
    },
    ...(values.conclude === true ? { conclude: conclusion(output, cache, values) } : {}),
    ...(shares === undefined ? {} : { retrain: await retraining(output, shares, values) }),
    ...(values["max-parallel"] === undefined ? {} : { maxParallel: values["max-parallel"] }),
    warnSeconds: values.warn ?? WARN_SECONDS,
    options,
  });
  await requireWritePermission(output);
  await claimOutputFolder(output, `${canonicalJson(planToJson(plan))}\n`);
  await using _ = await lockOutputFolder(`${output}/launch`); // two launches at once would submit everything twice
  await writeScripts(prepared);
  if (engine.isForRentedGpus === true) warnOfGpu(options, engine.name);
  const kind = await localFileSystem(output);
  if (kind !== undefined) {
    printWarning(
      `"${output}" lies on ${kind}, a disk of this machine: unless it is exported to the nodes under the same path, jobs ` +
        "end at once; choose a folder that all nodes share with --out DIR",
    );
  }
  return await submit(prepared, options, scheduler, values.submit === true);
}

/**
 * How many ranks a run has.
 *
 * @throws {UserError} `TOO_MANY_RANKS` if a run has fewer gradient blocks in a step, `UNUSED_OPTION` for an engine that
 * cannot share its steps, and for `--mpi` without ranks
 */
function ranksOf(values: Values<typeof OPTIONS>, { runs }: Plan): SlurmRanks | undefined {
  const { ranks: count, mpi = SRUN_MPI[0] } = values;
  const known = SRUN_MPI.find((name) => name === mpi);
  if (known === undefined) throw new UserError("UNKNOWN_OPTION", `Option "--mpi" is "${mpi}"`, suggest(mpi, SRUN_MPI));
  if (count === undefined && values.mpi !== undefined) {
    throw new UserError("UNUSED_OPTION", '"--mpi" is for "--ranks"', "add --ranks N, or leave it out");
  }
  if (count === undefined) return undefined;
  const { name, ranks: sharing } = chooseEngine(values);
  if (sharing === undefined) throw notShareable(name);
  for (const { label, specification: { batchSequences, gradientBlockSequences } } of runs) {
    const units = Math.ceil(batchSequences / gradientBlockSequences / sharing.unitBlocks);
    if (count <= units) continue;
    throw new UserError(
      "TOO_MANY_RANKS",
      `${count} ranks cannot share a step of run "${label}", which has ${unitWords(units, sharing.unitBlocks)}`,
      `give at most --ranks ${units}`,
    );
  }
  return { count, mpi: known };
}

/** @throws {UserError} `UNUSED_OPTION` for a key that nothing signs with */
function requireUsedKey({ conclude, key }: Values<typeof OPTIONS>): void {
  if (key === undefined || conclude === true) return;
  throw new UserError(
    "UNUSED_OPTION",
    '"--key" is for "--conclude"',
    "add --conclude, or give it to deno task conclude",
  );
}

/** What the last job runs. */
function conclusion(output: string, cache: readonly string[], values: Values<typeof OPTIONS>): WorkerCommand {
  const options = { ...EXPERIMENT_OPTIONS, ...SOURCE_OPTIONS, key: OPTIONS.key };
  return {
    task: "conclude",
    words: [output, ...cache.map((folder) => `--data-cache=${folder}`), ...wordsOf(options, values)],
    writes: cache,
  };
}

/** @throws {UserError} `BAD_NUMBER` for words that are not `all` and a number of shares */
function shareCount(words: readonly string[] | undefined): number | undefined {
  if (words === undefined) return undefined;
  const shares = parseWholeNumber(words[1] ?? "");
  if (words.length === 2 && words[0] === "all" && shares !== undefined && shares >= 1 && shares <= MAX_SHARES) {
    return shares;
  }
  throw new UserError(
    "BAD_NUMBER",
    `Option "--retrain" is "${words.join(" ")}"`,
    `expected all and a number of shares, at most ${MAX_SHARES}: --retrain all 8`,
  );
}

/**
 * What retrains a share.
 *
 * @throws {UserError} `NOTHING_TO_RETRAIN` without a manifest, and without a job that makes one
 */
async function retraining(
  output: string,
  shares: number,
  values: Values<typeof OPTIONS>,
): Promise<NonNullable<SlurmLaunch["retrain"]>> {
  const path = `${output}/${MANIFEST_FILE}`;
  const isThere = await DENO_FILES.status(path) !== undefined;
  if (!isThere && values.conclude !== true) {
    throw new UserError(
      "NOTHING_TO_RETRAIN",
      `There is no manifest "${path}"`,
      "add --conclude, or retrain when deno task conclude has made it",
    );
  }
  const { task } = chooseEngine(values);
  return {
    task: task === "reproduce" ? "retrain:native" : "retrain:cuda",
    words: [path, "--retrain", "all", ...wordsOf({ ...SOURCE_OPTIONS, ...ENGINE_OPTIONS }, values)],
    threads: task === "reproduce" && values.threads === undefined,
    shares,
    ...(isThere ? { manifest: await digestFile(path) } : {}),
  };
}

function warnOfGpu({ asksForGpu }: SbatchOptions, engine: string): void {
  if (asksForGpu) return;
  printWarning(
    `The engine ${engine} needs a GPU, and no option asks Slurm for one: add "-- --gpus=1", unless all jobs get one`,
  );
}

async function submit(
  prepared: PreparedLaunch,
  { words }: SbatchOptions,
  scheduler: Scheduler,
  submits: boolean,
): Promise<number> {
  const { places, submissions } = prepared;
  const script = `${places.scripts}/submit.sh`;
  const labels = new Map(submissions.map(({ name, log }) => [name, log]));
  const counts = { done: 0, "in queue": 0, submitted: 0, "to submit": 0 };
  try {
    for await (const each of submitAll(submissions, { places, options: words, scheduler, submits })) {
      counts[each.state]++;
      tell(each, labels);
    }
  } catch (error) {
    if (submits || !hasCode(error, "NO_SCHEDULER")) throw error;
    printWarning(`${error.message}; what is in the queue is not known`);
    print(`written down: ${counted(submissions.length, "job")}`);
  }
  print(`scripts  ${places.scripts}`);
  print(`logs     ${places.logs}`);
  print(
    submits
      ? `${counted(counts.submitted, "job")} submitted, ${
        counts["in queue"]
      } were in the queue, ${counts.done} are done`
      : `nothing was submitted: read the scripts, then add --submit, or: bash ${script}`,
  );
  return EXIT.ok;
}

/** `launch slurm` */
export const launchSlurmCommand: Command = {
  summary: "shows the jobs of Slurm that carry out a plan, writes them down, and submits them with --submit",
  usage: "[options] [-- SBATCH-OPTIONS]",
  options: OPTIONS,
  run: (args) => launchSlurm(args),
};
