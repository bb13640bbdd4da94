/** `deno task reproduce`: the main job. */
import { describeShortage } from "../data/shortage.ts";
import { EXIT } from "../errors.ts";
import { compactNumber, formatPlan } from "../experiment/plan_text.ts";
import { planToJson } from "../experiment/plan_json.ts";
import type { Plan } from "../experiment/plan.ts";
import { findSigningKey, KEY_VARIABLE } from "../manifest/key_file.ts";
import type { Calibration } from "../reproduce/calibrate.ts";
import type { Reproduction } from "../reproduce/options.ts";
import { reproduce } from "../reproduce/reproduce.ts";
import { formatClaims } from "../results/format_claims.ts";
import { Interrupted } from "../train/train_run.ts";
import { parseCommandLine } from "./arguments.ts";
import type { Command } from "./command.ts";
import { showPlan } from "./plan.ts";
import { choicesFromOptions, PLAN_OPTIONS } from "./plan_options.ts";
import { formatSeconds, ProgressView } from "./progress.ts";
import { abortOnSignals } from "./signals.ts";
import { startEngine, threadCount } from "./engines.ts";
import { DATA_CACHE, DEFAULT_KEY, DEFAULT_SCALE } from "./settings.ts";
import { segmentCount } from "./replay.ts";
import { retrainLines } from "./retrain.ts";
import { filesFromOptions, sourcesFromOptions } from "./source_options.ts";

const OPTIONS = {
  ...PLAN_OPTIONS,
  out: { kind: "text", value: "DIR", help: "output folder (default: out/SCALE)" },
  key: { kind: "text", value: "FILE", help: `private key to sign with (default: ${KEY_VARIABLE}, or ${DEFAULT_KEY})` },
  "accept-other-device": {
    kind: "flag",
    help: "go on with 16-bit runs on another GPU or driver; the manifest says so",
  },
  retrain: {
    kind: "text",
    value: "N|all",
    help: "before signing, train N random segments again of runs found in the folder, or all of them",
  },
  "dry-run": { kind: "flag", help: "show the plan and stop" },
} as const;

function showExpectation(plan: Plan, calibration: Calibration): void {
  console.log(formatPlan(plan));
  const { tokensPerSecond, expectedSeconds, finishedRuns, peakBytes } = calibration;
  console.log(
    tokensPerSecond === undefined
      ? "all runs are done: nothing is left to train"
      : `${finishedRuns} runs are done; at ${compactNumber(tokensPerSecond)} tokens/s on this machine the rest takes ` +
        `about ${formatSeconds(expectedSeconds)} and ${compactNumber(peakBytes)}B of memory`,
  );
  console.log();
}

function showResult({ verdicts, manifestPath, reportPath, results }: Reproduction, seconds: number): void {
  const color = Deno.stdout.isTerminal() && Deno.env.get("NO_COLOR") === undefined;
  console.log(`\n${formatClaims(verdicts, { color })}`);
  console.log(`${results.length} runs in ${formatSeconds(seconds)}`);
  console.log(`report    ${reportPath}`);
  console.log(`manifest  ${manifestPath}`);
  console.log(`check it: deno task verify ${manifestPath}`);
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  if (values["dry-run"] === true) {
    await showPlan(values);
    return EXIT.ok;
  }
  const retrain = values.retrain === undefined ? undefined : segmentCount("retrain", values.retrain);
  const start = performance.now();
  const scale = values.scale ?? DEFAULT_SCALE;
  const threads = threadCount(values);
  const files = filesFromOptions(values);
  const engine = await startEngine(values);
  const { signal, dispose } = abortOnSignals();
  let view: ProgressView | undefined;
  try {
    const result = await reproduce({
      scale,
      ...choicesFromOptions(values),
      ...sourcesFromOptions(values),
      engine,
      threads,
      output: (values.out ?? `out/${scale}`).replace(/(?<=.)\/+$/, ""),
      dataCache: DATA_CACHE,
      command: ["reproduce", ...args],
      signal,
      ...(values["accept-other-device"] === true ? { acceptOtherConditions: true } : {}),
      ...(retrain === undefined ? {} : { retrain }),
      ...(values.only === undefined ? {} : { only: values.only }),
      ...(values.seeds === undefined ? {} : { seeds: values.seeds }),
      ...(files === undefined ? {} : { files }),
      signingKey: async () => {
        const environment = Deno.env.get(KEY_VARIABLE);
        const { key, message } = await findSigningKey({
          defaultFile: DEFAULT_KEY,
          ...(values.key === undefined ? {} : { keyFile: values.key }),
          ...(environment === undefined ? {} : { environment }),
        });
        console.log(message);
        return key;
      },
      events: {
        onData: (progress) => {
          if (progress.stage === "shortage") console.error(`warning: ${describeShortage(progress)}`);
          if (progress.stage === "rebuild") console.error(`warning: ${progress.corpus} corpus: ${progress.reason}`);
        },
        onPlan: (plan, calibration) => {
          if (values.json === true) console.log(JSON.stringify(planToJson(plan)));
          else showExpectation(plan, calibration);
          view = new ProgressView(plan, calibration, Deno.stdout.isTerminal());
        },
        onProgress: (progress) => view?.onProgress(progress),
        onRun: (result) => view?.onRun(result),
        ...retrainLines((line) => console.log(line)),
        onWarning: (message) => view === undefined ? console.error(`warning: ${message}`) : view.warn(message),
      },
    });
    view?.end();
    showResult(result, (performance.now() - start) / 1000);
    return EXIT.ok;
  } catch (error) {
    view?.end();
    if (!(error instanceof Interrupted)) throw error;
    console.error(`${error.message}; the same command goes on from there`);
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
