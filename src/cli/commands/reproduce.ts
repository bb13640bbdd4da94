/** `deno task reproduce`: the main job. */
import { chooseEngine } from "../../engine/catalogue.ts";
import { threadCount } from "../../engine/threads.ts";
import { EXIT, hasCode, UserError } from "../../errors.ts";
import { formatPlan } from "../../experiment/plan/plan_text.ts";
import { compactNumber, counted, formatSeconds } from "../../text/numbers.ts";
import { planToJson } from "../../experiment/plan/plan_json.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { Calibration } from "../../reproduce/calibrate.ts";
import { reproduce } from "../../reproduce/reproduce.ts";
import { Interrupted } from "../../train/run_environment.ts";
import type { Values } from "../arguments.ts";
import type { Command } from "../command.ts";
import { warnOfData } from "../data_warnings.ts";
import { showPlan } from "./plan.ts";
import { foldersFromOptions } from "../options/experiment_options.ts";
import { choicesFromOptions, PLAN_OPTIONS } from "../options/plan_options.ts";
import { ProgressView } from "../progress.ts";
import { inRanks, RANK_OPTIONS, type RankStart, requireTraining } from "../ranks.ts";
import { abortOnSignals } from "../signals.ts";
import { DEFAULT_SCALE } from "../settings.ts";
import { segmentCount } from "../retrain.ts";
import { retrainFoundLines } from "../retrain_lines.ts";
import { filesFromOptions, sourcesFromOptions } from "../options/source_options.ts";
import { isTerminal, print, printError, printJson, printWarning } from "../../terminal.ts";
import { showReproduction } from "../reproduction_lines.ts";
import { filesWithin } from "../../files/files_within.ts";
import { loadPaper } from "../../reproduce/paper_file.ts";
import { stampFolder } from "../../timestamp/stamp_folder.ts";
import { rootsFromOptions, TIMESTAMP_OPTIONS } from "../options/timestamp_options.ts";
import { formatStamped, namedRules, requirePlanTimestamp } from "../timestamp_lines.ts";
import { KEY_OPTIONS, signingKey, takeEnvironmentKey } from "../signing.ts";
import { parsePaths } from "../typed_paths.ts";
import { projectPath } from "../user_path.ts";
import { dataCacheFrom, isWorker, joinPlan, requireSharing, WORKER_OPTIONS, writeSharedPlan } from "../worker.ts";
import { requireWritePermission } from "../write_permission.ts";

const OPTIONS = {
  ...PLAN_OPTIONS,
  out: { kind: "text", value: "DIR", path: true, help: "output folder (default: out/SCALE)" },
  ...KEY_OPTIONS,
  "accept-other-device": {
    kind: "flag",
    help: "resume 16-bit runs on another GPU or driver; the manifest says so",
  },
  retrain: {
    kind: "text",
    value: "N|all",
    help: "before signing, retrain N random segments of runs found in the folder, or all of them",
  },
  timestamp: {
    kind: "flag",
    help:
      "train only when plan and rules have a timestamp (RFC 3161); writes the request for it, and the manifest's after",
  },
  ...TIMESTAMP_OPTIONS,
  "dry-run": { kind: "flag", help: "show the plan and stop" },
  ...WORKER_OPTIONS,
  ...RANK_OPTIONS,
} as const;

function showExpectation(plan: Plan, calibration: Calibration): void {
  print(formatPlan(plan));
  const { tokensPerSecond, expectedSeconds, finishedRuns, peakBytes } = calibration;
  print(
    tokensPerSecond === undefined
      ? "all runs are done: nothing is left to train"
      : `${counted(finishedRuns, "run")} ${finishedRuns === 1 ? "is" : "are"} done; at ${
        compactNumber(tokensPerSecond)
      } tokens/s on this machine the rest takes ` +
        `about ${formatSeconds(expectedSeconds)} and ${compactNumber(peakBytes)}B of memory`,
  );
  print();
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parsePaths(args, OPTIONS);
  requireTraining(values);
  if (values["dry-run"] === true) {
    await showPlan(values);
    return EXIT.ok;
  }
  requireSharing(values);
  const scale = values.scale ?? DEFAULT_SCALE;
  const output = (values.out ?? projectPath(`out/${scale}`)).replace(/(?<=.)\/+$/, "");
  if (values["plan-only"] === true) return await writeSharedPlan(output, values, ["reproduce", ...args]);
  return await inRanks(
    values,
    ({ start, values }) =>
      isWorker(values) ? joinPlan(output, values, start) : reproduceAll(args, { output, values, start }),
  );
}

/** Everything that one process does, or rank 0 of several. */
async function reproduceAll(
  args: readonly string[],
  { output, values, start }: RankStart<Values<typeof OPTIONS>> & { readonly output: string },
): Promise<number> {
  const retrain = values.retrain === undefined ? undefined : segmentCount("retrain", values.retrain);
  const began = performance.now();
  const scale = values.scale ?? DEFAULT_SCALE;
  await requireWritePermission(output);
  const environmentKey = takeEnvironmentKey();
  const threads = threadCount(values);
  const files = filesFromOptions(values);
  const roots = await rootsFromOptions(values);
  if (roots !== undefined && values.timestamp !== true) {
    throw new UserError("UNUSED_OPTION", '"--timestamp-roots" is for "--timestamp"', "add that, or leave it out");
  }
  const engine = await start();
  const { signal, dispose } = abortOnSignals();
  let view: ProgressView | undefined;
  try {
    const result = await reproduce({
      scale,
      ...choicesFromOptions(values),
      ...foldersFromOptions(values),
      ...sourcesFromOptions(values),
      engine,
      threads,
      output,
      dataCache: dataCacheFrom(values),
      command: ["reproduce", ...args],
      signal,
      beforeTraining: values.timestamp === true
        ? (rules, fileSystem) => requirePlanTimestamp(output, rules, fileSystem, roots)
        : undefined,
      acceptOtherConditions: values["accept-other-device"],
      retrain,
      only: values.only,
      seeds: values.seeds,
      files,
      signingKey: async () => await signingKey(values.key, environmentKey),
      events: {
        onData: warnOfData,
        onPlan: (plan, calibration) => {
          if (values.json === true) printJson(planToJson(plan), { compact: true });
          else showExpectation(plan, calibration);
          view = new ProgressView(plan, calibration, isTerminal("stdout"));
        },
        onProgress: (progress) => view?.onProgress(progress),
        onRun: (result) => view?.onRun(result),
        ...retrainFoundLines(print),
        onWarning: (message) => view === undefined ? printWarning(`${message}`) : view.warn(message),
      },
    });
    view?.end();
    await showReproduction(result, (performance.now() - began) / 1000);
    if (values.timestamp === true) {
      const rules = namedRules((await loadPaper(foldersFromOptions(values))).text);
      print(`\n${formatStamped(await stampFolder(output, rules, filesWithin(output), roots, "manifest"))}`);
    }
    const hint = await chooseEngine(values).speedHint?.(values, "reproduce:native");
    if (hint !== undefined) printError(`\n${hint}`);
    return EXIT.ok;
  } catch (error) {
    view?.end();
    if (hasCode(error, "RUN_IN_USE")) {
      printError(error.message);
      return EXIT.waiting;
    }
    if (!(error instanceof Interrupted)) throw error;
    printError(`${error.message}; the same command resumes from there`);
    return EXIT.interrupted;
  } finally {
    dispose();
  }
}

/** `reproduce` */
export const reproduceCommand: Command = {
  summary: "trains every ablation at a scale, judges the paper's claims, and signs a manifest",
  usage: "[options]",
  options: OPTIONS,
  run,
};
