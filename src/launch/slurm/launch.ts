/** A plan as jobs of Slurm: the scripts in its output folder, and what is submitted. */
import type { Digest } from "../../digest/sha256.ts";
import { EXIT, UserError } from "../../errors.ts";
import { runCost } from "../../experiment/plan/cost.ts";
import { evaluationSteps } from "../../experiment/run/evaluation.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { makeFolderDurably, writeFileDurably } from "../../files/durable.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { planJobName, runJobs } from "../jobs.ts";
import type { WorkerCommand } from "../worker_command.ts";
import { batchScript, type SlurmRanks } from "./batch_script.ts";
import type { SbatchOptions } from "./sbatch_options.ts";
import { type Places, placesOf, type Submission, submitScript } from "./submission.ts";
import { slurmTime } from "./time_limit.ts";

/** FLOP/s that no GPU of today reaches in training: NVIDIA's B200, dense 16-bit, by its data sheet. */
const FASTEST_GPU = 2.25e15;

/** What is launched. Paths are whole. */
export interface SlurmLaunch {
  readonly plan: Plan;
  readonly output: string;
  readonly deno: string;
  readonly project: string;
  /** trains one run, once it is named */
  readonly worker: WorkerCommand & { readonly threads: boolean; readonly ranks?: SlurmRanks };
  /** judges and signs; absent where a person does that */
  readonly conclude?: WorkerCommand;
  /** trains a share of all segments again, once it is named; absent where nothing is to be retrained */
  readonly retrain?: WorkerCommand & {
    readonly threads: boolean;
    readonly shares: number;
    /** SHA-256 of the manifest that is there, if one is */
    readonly manifest?: Digest;
  };
  /** at most so many runs at a time */
  readonly maxParallel?: number;
  /** seconds before the time limit at which workers are told to stop */
  readonly warnSeconds: number;
  readonly options: SbatchOptions;
}

/** Scripts by their names, and the jobs that use them. */
export interface PreparedLaunch {
  readonly places: Places;
  readonly scripts: ReadonlyMap<string, string>;
  readonly submissions: readonly Submission[];
}

/**
 * What a launch writes and submits.
 *
 * @throws {UserError} `UNSAFE_PATH` for a folder whose name Slurm or Deno reads otherwise; `TIME_LIMIT_TOO_SHORT`
 */
export function prepareLaunch(launch: SlurmLaunch): PreparedLaunch {
  const { plan, output, deno, project, worker, conclude, retrain, maxParallel, warnSeconds, options } = launch;
  for (const path of [output, deno, project, ...worker.writes ?? []]) requireUsable(path);
  requireTime(launch);
  const places = placesOf(output);
  const jobs = runJobs(plan, maxParallel);
  const names = new Map(jobs.map(({ label, name }) => [label, name]));
  const lanes = new Map<number, string>();
  const submissions = jobs.map(({ label, name, parent, lane }): Submission => {
    const before = lane === undefined ? undefined : lanes.get(lane);
    if (lane !== undefined) lanes.set(lane, name);
    return {
      name,
      script: "run.sh",
      words: ["--run", label],
      log: label,
      result: `runs/${label}/run.json`,
      afterOk: parent === undefined ? [] : [names.get(parent) ?? ""],
      afterAny: before === undefined ? [] : [before],
    };
  });
  const common = { deno, project, output, warnSeconds };
  const scripts = new Map([[
    "run.sh",
    batchScript({
      title: "Trains one run of the plan",
      ...common,
      ...worker,
      comesBackAfter: [EXIT.interrupted, EXIT.waiting],
    }),
  ]]);
  if (conclude !== undefined) {
    // Not after "waiting": all jobs have ended, and what is missing does not come by itself.
    scripts.set(
      "conclude.sh",
      batchScript({
        title: "Judges and signs",
        ...common,
        ...conclude,
        threads: false,
        comesBackAfter: [EXIT.interrupted],
      }),
    );
    submissions.push({
      name: planJobName("conclude", plan),
      script: "conclude.sh",
      words: [],
      log: "conclude",
      result: "manifest.dsse.json",
      afterOk: [],
      // However they end: it says what is missing.
      afterAny: jobs.map(({ name }) => name),
    });
  }
  if (retrain !== undefined) {
    scripts.set(
      "retrain.sh",
      batchScript({
        title: "Trains a share of all segments again, and compares",
        ...common,
        ...retrain,
        // It keeps no checkpoint: what does not fit into the time limit once does not fit the second time.
        comesBackAfter: [],
        afterSuccess: MARK,
      }),
    );
    submissions.push(...shares(plan, retrain, conclude !== undefined));
  }
  scripts.set("submit.sh", submitScript(submissions, places, options.words));
  return { places, scripts, submissions };
}

/** Notes that a share was retrained and is right, for this manifest alone: `--share 3/8`. */
const MARK = `mkdir -p "$out/launch/retrained" &&
  : > "$out/launch/retrained/$(sha256sum "$out/manifest.dsse.json" | cut -c1-16)-\${2/\\//-of-}"`;

function shares(
  plan: Plan,
  { shares, manifest }: NonNullable<SlurmLaunch["retrain"]>,
  isConcluded: boolean,
): readonly Submission[] {
  return Array.from({ length: shares }, (_, index): Submission => {
    const part = `${index + 1}-of-${shares}`;
    return {
      name: planJobName(`retrain-${part}`, plan),
      script: "retrain.sh",
      words: ["--share", `${index + 1}/${shares}`],
      log: `retrain-${part}`,
      result: `launch/retrained/${manifest?.slice(0, 16) ?? "no-manifest"}-${part}`,
      afterOk: isConcluded ? [planJobName("conclude", plan)] : [],
      afterAny: [],
    };
  });
}

/** Writes the scripts, and makes the folder that jobs write their logs to. */
export async function writeScripts(
  { places, scripts }: PreparedLaunch,
  files: FileSystem = DENO_FILES,
): Promise<void> {
  await makeFolderDurably(places.scripts, files);
  await makeFolderDurably(places.logs, files);
  for (const [name, text] of scripts) await writeFileDurably(`${places.scripts}/${name}`, text, { files });
}

function requireUsable(path: string): void {
  // deno-lint-ignore no-control-regex
  const [bad] = /[\x00-\x1f\x7f,\\|]/.exec(path) ?? [];
  if (bad === undefined) return;
  throw new UserError(
    "UNSAFE_PATH",
    `The path ${JSON.stringify(path)} has ${JSON.stringify(bad)}, which Slurm or Deno would not take for a part of it`,
    "choose a folder whose name has no comma, backslash, vertical bar or control character",
  );
}

/** Seconds that a step with its evaluation takes at least, on the fastest GPU there is. */
function leastSeconds(plan: Plan): number {
  return Math.max(
    0,
    ...plan.runs.map((run) => {
      const { flops, tokens, evaluationTokens } = runCost(run);
      const perToken = flops / (tokens + evaluationTokens / 3);
      const evaluations = evaluationSteps(run.specification.evaluation, run.steps).length;
      return perToken * (tokens / run.steps + evaluationTokens / 3 / Math.max(1, evaluations)) / FASTEST_GPU;
    }),
  );
}

/** A job that is stopped before its first step would come back for ever. */
function requireTime({ plan, warnSeconds, options: { timeLimit } }: SlurmLaunch): void {
  if (timeLimit === undefined) return;
  const needed = warnSeconds + leastSeconds(plan);
  if (timeLimit > needed) return;
  throw new UserError(
    "TIME_LIMIT_TOO_SHORT",
    `A job of ${slurmTime(timeLimit)} is told to stop ${
      slurmTime(warnSeconds)
    } before its end, and a step of this plan ` +
      `takes ${leastSeconds(plan).toFixed(1)} s on the fastest GPU`,
    `give more than --time=${slurmTime(Math.ceil(needed))}, or a shorter --warn SECONDS`,
  );
}
