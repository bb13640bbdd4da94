/**
 * `deno task bench`: training speed of the exact engine, of the TensorFlow engine on each of its backends, and of PyTorch,
 * on one model, in one run.
 * Ends with code 1 if their losses differ, since then they did not do the same work.
 */
import { type Options, parseCommandLine } from "../src/cli/arguments.ts";
import { BACKEND_NAMES, type BackendName, isBackendName } from "../src/engine/tensorflow/backend_names.ts";
import { EXIT, suggest, UserError } from "../src/errors.ts";
import { runProgram } from "./run_program.ts";
import { flopsPerToken, type ModelConfig, parameterCount } from "../src/model/config.ts";
import { compareLosses, type Contestant, type Measurement, medianRatio, runContest } from "./contest.ts";
import { describeMachine } from "./machine.ts";
import { openExact } from "./peers/exact.ts";
import { isAvailable, type Peer, type Unavailable } from "./peers/peer.ts";
import { openPyTorch } from "./peers/pytorch.ts";
import { openTensorFlow } from "./peers/tensorflow.ts";
import { median } from "./statistics.ts";
import { grouped, textTable } from "./text_table.ts";
import { BENCHMARK_MODEL, CHECK_MODEL, tokensPerStep, type TrainingTask, trainingTask } from "./training_task.ts";

/** Of the TensorFlow engine, by the speed of its backends. */
const STEPS_PER_ROUND: Readonly<Record<BackendName, number>> = {
  "tfjs-node-gpu": 10,
  "tfjs-node": 5,
  webgpu: 1,
  wasm: 1,
  cpu: 1,
};

const OPTIONS = {
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 5)" },
  threads: { kind: "count", value: "N", help: "threads of rewarm and of PyTorch (default: 2)" },
  python: { kind: "text", value: "PATH", help: "interpreter that has PyTorch (default: python3)" },
  backends: { kind: "list", value: "NAME…", help: "backends of TensorFlow.js (default: those that take seconds)" },
  check: { kind: "flag", help: "a tiny model: only whether the losses agree, in seconds" },
} as const satisfies Options;

/** Losses further apart than this, relatively, are not those of the same training. */
const LOSS_TOLERANCE = 1e-3;

/** Opens the trainers in the order in which they will take turns; says which are missing and why. */
async function openContestants(
  task: TrainingTask,
  threads: number,
  python: string,
  backends: readonly BackendName[],
  patient: boolean,
): Promise<Contestant[]> {
  const candidates: [stepsPerRound: number, open: () => Promise<Peer | Unavailable>][] = [
    [8, () => openExact(task, threads)],
    ...backends.map((backend): [number, () => Promise<Peer | Unavailable>] => [
      STEPS_PER_ROUND[backend],
      () => openTensorFlow(task, backend, patient),
    ]),
    [10, () => openPyTorch(task, threads, python)],
  ];
  const contestants: Contestant[] = [];
  for (const [stepsPerRound, open] of candidates) {
    showProgress("starting");
    const peer = await open();
    if (isAvailable(peer)) contestants.push({ peer, stepsPerRound });
    else console.log(`skipped: ${peer.name}: ${peer.reason}`);
  }
  return contestants;
}

/** One line that is written over, on a terminal only. */
function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function describeModel(model: ModelConfig, batchSequences: number): string {
  const { hiddenSize, layers, heads, sequenceLength, vocabularySize } = model;
  return `GPT-NeoX, hidden ${hiddenSize}, ${layers} layers, ${heads} heads, sequence ${sequenceLength}, ` +
    `batch ${batchSequences}, vocabulary ${grouped(vocabularySize)}: ${grouped(parameterCount(model))} parameters, ` +
    `${(flopsPerToken(model, "causal") / 1e6).toFixed(1)} MFLOP a token`;
}

function resultTable(measurements: readonly Measurement[], model: ModelConfig): string {
  const [ours] = measurements;
  const rows = measurements.map((measurement) => {
    const { peer, tokensPerSecond } = measurement;
    const speed = median(tokensPerSecond);
    return [
      peer.name,
      String(peer.threads),
      grouped(speed),
      `${grouped(Math.min(...tokensPerSecond))}–${grouped(Math.max(...tokensPerSecond))}`,
      (speed * flopsPerToken(model, "causal") / 1e9).toFixed(1),
      ours === undefined || measurement === ours ? "" : `${medianRatio(ours, measurement).toFixed(2)}×`,
    ];
  });
  return textTable(["", "threads", "tokens/s", "lowest–highest", "GFLOP/s", "rewarm ÷ this"], rows);
}

function lossTable(measurements: readonly Measurement[], steps: number): string {
  const rows = measurements.map(({ peer, losses }) => [
    peer.name,
    (losses[0] ?? NaN).toFixed(6),
    (losses[steps - 1] ?? NaN).toFixed(6),
  ]);
  return textTable(["", "first loss", `loss ${steps}`], rows);
}

/** The backends that are asked for, or all of them. */
function backendsOf(names: readonly string[] = BACKEND_NAMES): BackendName[] {
  return names.map((name) => {
    if (isBackendName(name)) return name;
    throw new UserError("UNKNOWN_BACKEND", `Unknown backend "${name}"`, suggest(name, BACKEND_NAMES));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  const { rounds = values.check === true ? 4 : 5, threads = 2, python = "python3" } = values;
  const task = values.check === true ? trainingTask(CHECK_MODEL, 4) : trainingTask(BENCHMARK_MODEL, 8);
  console.log(`machine   ${describeMachine()}`);
  console.log(`model     ${describeModel(task.model, task.batchSequences)}`);
  console.log("step      forward, backward, clipping, AdamW, in f32");
  const patient = values.check === true || values.backends !== undefined;
  const contestants = await openContestants(task, threads, python, backendsOf(values.backends), patient);
  try {
    const start = performance.now();
    const measurements = await runContest(contestants, rounds, tokensPerStep(task), ({ name }, round) => {
      showProgress(round < 0 ? `warm-up: ${name}` : `round ${round + 1} of ${rounds}: ${name}`);
    });
    showProgress("");
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `rounds    ${rounds}, in turn, ${seconds.toFixed(0)} s; medians, and of ratios the median of the rounds'`,
    );
    console.log(`\n${resultTable(measurements, task.model)}\n`);
    const { steps, worst } = compareLosses(measurements);
    console.log(lossTable(measurements, steps));
    const agree = worst <= LOSS_TOLERANCE;
    console.log(
      `\nlosses of the first ${steps} steps ${agree ? "agree" : "DO NOT AGREE"}: ` +
        `largest relative difference ${worst.toExponential(1)}, at most ${LOSS_TOLERANCE.toExponential(0)} allowed`,
    );
    return agree ? EXIT.ok : EXIT.failed;
  } finally {
    for (const { peer } of contestants) await peer.close();
  }
}

if (import.meta.main) {
  await runProgram(main);
}
