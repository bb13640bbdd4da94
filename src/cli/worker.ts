/** `reproduce` on one of several machines: `--plan-only` writes the plan, `--join` and `--run` carry out a part of it. */
import { chooseEngine } from "../engine/catalogue.ts";
import type { Engine } from "../engine/engine.ts";
import { threadCount } from "../engine/threads.ts";
import { EXIT, UserError } from "../errors.ts";
import { formatPlan } from "../experiment/plan/plan_text.ts";
import { planToJson } from "../experiment/plan/plan_json.ts";
import { writePlan } from "../reproduce/reproduce.ts";
import { filesWithin } from "../files/files_within.ts";
import { print, printError, printJson, printWarning } from "../terminal.ts";
import type { RunResult } from "../train/run_trainer.ts";
import type { RunProgress } from "../train/run_environment.ts";
import { openShared, requireEngineOf } from "../worker/open_shared.ts";
import { namedRun, readSharedPlan } from "../worker/shared_plan.ts";
import { jobDeadline, thisTrainer } from "../worker/this_trainer.ts";
import { type Blocked, work, type WorkEnd } from "../worker/work.ts";
import type { Values } from "./arguments.ts";
import { warnOfData } from "./data_warnings.ts";
import { foldersFromOptions } from "./options/experiment_options.ts";
import { choicesFromOptions, type PLAN_OPTIONS } from "./options/plan_options.ts";
import { filesFromOptions, sourcesFromOptions } from "./options/source_options.ts";
import { describeResult } from "./progress.ts";
import { DATA_CACHE, DEFAULT_SCALE } from "./settings.ts";
import { abortOnSignals } from "./signals.ts";
import { requireWritePermission } from "./write_permission.ts";

/** Where prepared corpora are kept. */
export const DATA_CACHE_OPTIONS = {
  "data-cache": {
    kind: "text",
    value: "DIR",
    path: true,
    help: `where prepared corpora are kept: a shared disk, or one of this node (default: ${DATA_CACHE})`,
  },
} as const;

/** Options of `reproduce` where several machines carry out one plan. */
export const WORKER_OPTIONS = {
  "plan-only": { kind: "flag", help: "write plan.json for others to carry out, and stop" },
  run: { kind: "text", value: "LABEL|KEY", help: "train this one run of the plan in --out, and stop" },
  join: { kind: "flag", help: "train whatever run of the plan in --out is ready and free, again and again" },
  wait: { kind: "flag", help: "with --join: wait for runs that others train, instead of ending" },
  ...DATA_CACHE_OPTIONS,
} as const;

type WorkerValues =
  & Values<typeof PLAN_OPTIONS>
  & Values<typeof WORKER_OPTIONS>
  & Pick<
    Values<{ readonly "accept-other-device": { readonly kind: "flag"; readonly help: string } }>,
    "accept-other-device"
  >;

/** Options that a plan follows from, or a signature: the plan that lies there has been made, and nothing is signed. */
const NOT_FOR_WORKERS = [
  "only",
  "set",
  "seeds",
  "reading",
  "model",
  "tokens",
  "batch",
  "context",
  "evaluation-windows",
  "experiments",
  "key",
  "retrain",
  "plan-only",
  "dry-run",
] as const;

/** Milliseconds between lines on a run in training. */
const LINE_INTERVAL = 15_000;

/** The folder of prepared corpora. */
export function dataCacheFrom(values: Values<typeof DATA_CACHE_OPTIONS>): string {
  return values["data-cache"] ?? DATA_CACHE;
}

/** Whether options ask for a worker. */
export function isWorker({ join, run }: Pick<WorkerValues, "join" | "run">): boolean {
  return join === true || run !== undefined;
}

/**
 * Writes the plan that others carry out.
 *
 * @param command as it was given
 * @throws {UserError} as `writePlan`
 */
export async function writeSharedPlan(
  output: string,
  values: WorkerValues,
  command: readonly string[],
): Promise<number> {
  await requireWritePermission(output);
  const { name, identity, penalties } = chooseEngine(values);
  const files = filesFromOptions(values);
  const plan = await writePlan({
    scale: values.scale ?? DEFAULT_SCALE,
    ...choicesFromOptions(values),
    ...foldersFromOptions(values),
    ...sourcesFromOptions(values),
    engine: { name, ...identity, penalties, description: {} },
    threads: 0,
    output,
    dataCache: dataCacheFrom(values),
    command,
    only: values.only,
    seeds: values.seeds,
    files,
    events: { onData: warnOfData, onWarning: printWarning },
  });
  if (values.json === true) printJson(planToJson(plan), { compact: true });
  else {
    print(formatPlan(plan));
    print(`\nplan      ${output}/plan.json`);
    print(`train it: deno task reproduce --join --out ${output}, on as many machines as there are`);
  }
  return EXIT.ok;
}

/**
 * Carries out a part of the plan that lies in an output folder.
 *
 * @param start starts the engine that options name
 * @returns `EXIT.ok` where nothing is left to be done, `EXIT.waiting` where it is held by others or not ready,
 * `EXIT.interrupted` where it was asked to stop
 */
export async function joinPlan(
  output: string,
  values: WorkerValues,
  start: () => Promise<Engine>,
): Promise<number> {
  requireWorkerOptions(values);
  await requireWritePermission(output);
  if (values["data-cache"] !== undefined) await requireWritePermission(values["data-cache"]);
  const plan = await readSharedPlan(output);
  if (values.scale !== undefined && values.scale !== plan.scale.name) {
    throw new UserError(
      "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
      `"${output}" holds a plan at scale "${plan.scale.name}", and --scale says "${values.scale}"`,
      "leave out --scale, or choose the other plan's folder with --out DIR",
    );
  }
  requireEngineOf(plan, chooseEngine(values).identity);
  const run = values.run === undefined ? undefined : namedRun(plan, values.run);
  threadCount(values); // refused before data are prepared
  const corpusFiles = filesFromOptions(values);
  const { signal, dispose } = abortOnSignals();
  try {
    using opened = await openShared(plan, {
      ...sourcesFromOptions(values),
      corpusFiles,
      dataCache: dataCacheFrom(values),
      onProgress: warnOfData,
    });
    const engine = await start();
    const deadline = jobDeadline();
    const lines = new WorkerLines();
    const end = await work({
      plan,
      engine,
      corpora: opened.corpora,
      output,
      files: filesWithin(output),
      trainer: thisTrainer(engine),
      signal,
      onTake: (run) => lines.take(run.label, run.steps),
      onProgress: (progress) => lines.progress(progress),
      onRun: (result) => lines.end(result),
      onWait: (blocked) => lines.wait(blocked),
      onWarning: printWarning,
      deadline,
      run,
      ...(values.wait === true ? { wait: true } : {}),
      ...(values["accept-other-device"] === true ? { acceptOtherConditions: true } : {}),
      imported: opened.imported,
    });
    return tellEnd(end, output);
  } finally {
    dispose();
  }
}

/**
 * Refuses options of several machines that contradict each other.
 *
 * @throws {UserError} `TWO_CHOICES`, `UNUSED_OPTION`
 */
export function requireSharing({ join, run, wait }: WorkerValues): void {
  if (join === true && run !== undefined) {
    throw new UserError("TWO_CHOICES", '"--join" and "--run" are given', "give one of them");
  }
  if (wait === true && join !== true) {
    throw new UserError("UNUSED_OPTION", '"--wait" is for "--join"', "add --join, or leave it out");
  }
}

function requireWorkerOptions(values: WorkerValues): void {
  const given: Readonly<Record<string, unknown>> = values;
  const unused = NOT_FOR_WORKERS.find((name) => given[name] !== undefined);
  if (unused === undefined) return;
  throw new UserError(
    "UNUSED_OPTION",
    `"--${unused}" says nothing to a worker, which carries out the plan that lies in its folder and signs nothing`,
    "give it with --plan-only, or to deno task conclude",
  );
}

function tellEnd(end: WorkEnd, output: string): number {
  switch (end.kind) {
    case "done":
      print(`Nothing is left to train here; deno task conclude ${output} judges and signs when all runs are there`);
      return EXIT.ok;
    case "waiting":
      for (const { run, reason } of end.blocked) printError(`Run "${run.label}" waits: ${reason}`);
      printError("Nothing is ready and free; run the same command again later");
      return EXIT.waiting;
    case "stopped":
      printError(`${end.message}; the same command resumes from there`);
      return EXIT.interrupted;
  }
}

/** What a worker prints: a line where a run begins and ends, and now and then one in between. */
class WorkerLines {
  #label = "";
  #steps = 0;
  #last = 0;
  #lastWait = "";

  take(label: string, steps: number): void {
    this.#label = label;
    this.#steps = steps;
    this.#last = performance.now();
    this.#lastWait = "";
    print(`  takes ${label}, ${steps} steps`);
  }

  progress({ step, loss }: RunProgress): void {
    const now = performance.now();
    if (now - this.#last < LINE_INTERVAL) return;
    this.#last = now;
    print(`  ${this.#label}  step ${step}/${this.#steps}${loss === undefined ? "" : `  loss ${loss.toFixed(3)}`}`);
  }

  end(result: RunResult): void {
    print(`  ${describeResult(result)}`);
  }

  wait(blocked: readonly Blocked[]): void {
    const text = blocked.map(({ run }) => run.label).join(", ");
    if (text === this.#lastWait) return;
    this.#lastWait = text;
    print(`  waits for ${blocked.length} ${blocked.length === 1 ? "run" : "runs"}: ${text}`);
  }
}
