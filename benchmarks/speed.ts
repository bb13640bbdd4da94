/**
 * `deno task bench`: training speed of the exact engine by native and by WebAssembly's kernels, of the TensorFlow engine on
 * each of its backends, and of PyTorch as installed and at its best, on models of several shapes.
 * Ends with code 1 if their losses differ, since then they did not do the same work.
 */
import { type Options, parseCommandLine, type Values } from "../src/cli/arguments.ts";
import { BACKEND_NAMES, type BackendName, isBackendName } from "../src/engine/tensorflow/backend_names.ts";
import { EXIT, suggest, UserError } from "../src/errors.ts";
import { loadScale } from "../src/experiment/catalogue.ts";
import { runProgram } from "./run_program.ts";
import { flopsPerToken, type ModelConfig, parameterCount } from "../src/model/config.ts";
import { compareLosses, type Contestant, type Measurement, medianRatio, runContest } from "./contest.ts";
import { describeMachine } from "./machine.ts";
import { NATIVE_SETS, openExact, openNative } from "./peers/exact.ts";
import { buildMklOverride } from "./peers/mkl.ts";
import { isAvailable, type Peer, type Unavailable } from "./peers/peer.ts";
import { openPyTorch } from "./peers/pytorch.ts";
import { openTensorFlow } from "./peers/tensorflow.ts";
import { median } from "./statistics.ts";
import { grouped, textTable } from "./text_table.ts";
import {
  BENCHMARK_MODEL,
  CHECK_MODEL,
  LONG_MODEL,
  tokensPerStep,
  type TrainingTask,
  trainingTask,
  WIDE_MODEL,
} from "./training_task.ts";

/** The shapes that are measured, by the name that `--models` takes. */
const MODELS: Readonly<Record<string, () => Promise<TrainingTask> | TrainingTask>> = {
  a: () => trainingTask(BENCHMARK_MODEL, 8),
  tiny: async () => {
    const { model, pretraining, gradientBlockSequences } = await loadScale("tiny");
    return trainingTask(model.config, pretraining.batchSequences, gradientBlockSequences);
  },
  wide: () => trainingTask(WIDE_MODEL, 8),
  long: () => trainingTask(LONG_MODEL, 2, 1),
};

/** What a trainer's turn is to take. */
const SECONDS_PER_TURN = 2;
const MOST_STEPS = 100;
/** Steps before the contest, the same for all: compilers warm up, and the last shows how many fill a turn. */
const STEPS_BEFORE = 3;

const OPTIONS = {
  models: { kind: "list", value: "NAME…", help: "a, tiny, wide (hidden 512), long (Pythia-14M, 2,048) (default: a)" },
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 5)" },
  threads: { kind: "count", value: "N", help: "threads of rewarm and of PyTorch (default: 2)" },
  python: { kind: "text", value: "PATH", help: "interpreter that has PyTorch (default: python3)" },
  backends: {
    kind: "list",
    value: "NAME…",
    help: "backends of TensorFlow.js (default: those that take seconds, on model a)",
  },
  kernels: { kind: "list", value: "NAME…", help: "rewarm's: avx512, avx2, neon, wasm (default: all that run here)" },
  check: { kind: "flag", help: "a tiny model: only whether the losses agree, in seconds" },
} as const satisfies Options;

/** Losses further apart than this, relatively, are not those of the same training. */
const LOSS_TOLERANCE = 1e-3;

/** How many steps of a peer fill a turn. */
async function stepsPerTurn(peer: Peer): Promise<number> {
  let seconds = 0;
  for (let step = 0; step < STEPS_BEFORE; step++) ({ seconds } = await peer.train(1));
  return Math.min(MOST_STEPS, Math.max(1, Math.round(SECONDS_PER_TURN / seconds)));
}

/** PyTorch with MKL told that the processor is Intel's. */
async function openOverridden(task: TrainingTask, threads: number, python: string): Promise<Peer | Unavailable> {
  const override = await buildMklOverride();
  if ("reason" in override) return { name: "PyTorch, MKL told to use AVX-512", reason: override.reason };
  return await openPyTorch(task, threads, python, override.path);
}

/** Opens the trainers in the order in which they will take turns; says which are missing and why. */
async function openContestants(
  task: TrainingTask,
  threads: number,
  python: string,
  kernels: readonly string[],
  backends: readonly BackendName[],
  patient: boolean,
): Promise<Contestant[]> {
  const candidates: (() => Promise<Peer | Unavailable>)[] = [
    ...NATIVE_SETS.filter(({ name }) => kernels.includes(name)).map((set) => () => openNative(task, threads, set)),
    ...kernels.includes("wasm") ? [() => openExact(task, threads)] : [],
    ...backends.map((backend) => () => openTensorFlow(task, backend, patient)),
    () => openPyTorch(task, threads, python),
    () => openOverridden(task, threads, python),
  ];
  const contestants: Contestant[] = [];
  for (const open of candidates) {
    showProgress("starting");
    const peer = await open();
    if (isAvailable(peer)) contestants.push({ peer, stepsPerRound: await stepsPerTurn(peer) });
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
  return textTable(["", "threads", "tokens/s", "lowest–highest", "GFLOP/s", "first ÷ this"], rows);
}

/** Each of rewarm's trainers beside the faster of PyTorch's. */
function ratioLines(measurements: readonly Measurement[]): string[] {
  const isPyTorch = ({ peer }: Measurement) => peer.name.startsWith("PyTorch");
  const speed = ({ tokensPerSecond }: Measurement) => median(tokensPerSecond);
  const stronger = measurements.filter(isPyTorch).sort((a, b) => speed(b) - speed(a))[0];
  if (stronger === undefined) return ["no PyTorch to compare with"];
  return measurements.filter(({ peer }) => peer.name.startsWith("rewarm exact")).map((ours) =>
    `${ours.peer.name}: ${medianRatio(ours, stronger).toFixed(2)} times as fast as ${stronger.peer.name}`
  );
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

const KERNELS = [...NATIVE_SETS.map(({ name }) => name), "wasm"];

/** The kernels of the exact engine that are asked for, or all of them. */
function kernelsOf(names: readonly string[] = KERNELS): readonly string[] {
  const unknown = names.find((name) => !KERNELS.includes(name));
  if (unknown === undefined) return names;
  throw new UserError("UNKNOWN_KERNELS", `Unknown kernels "${unknown}"`, suggest(unknown, KERNELS));
}

/** The models that are asked for. */
function modelsOf(
  names: readonly string[] = ["a"],
): [name: string, task: () => Promise<TrainingTask> | TrainingTask][] {
  return names.map((name) => {
    const task = MODELS[name];
    if (task !== undefined) return [name, task];
    throw new UserError("UNKNOWN_MODEL", `Unknown model "${name}"`, suggest(name, Object.keys(MODELS)));
  });
}

/** Measures all trainers on one task; whether their losses agree. */
async function measure(task: TrainingTask, values: Values<typeof OPTIONS>, backends: readonly BackendName[]) {
  const { rounds = values.check === true ? 4 : 5, threads = 2, python = "python3" } = values;
  console.log(`model     ${describeModel(task.model, task.batchSequences)}`);
  const patient = values.check === true || values.backends !== undefined;
  const contestants = await openContestants(task, threads, python, kernelsOf(values.kernels), backends, patient);
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
    console.log(`${ratioLines(measurements).join("\n")}\n`);
    const { steps, worst } = compareLosses(measurements);
    console.log(lossTable(measurements, steps));
    const agree = worst <= LOSS_TOLERANCE;
    console.log(
      `\nlosses of the first ${steps} steps ${agree ? "agree" : "DO NOT AGREE"}: ` +
        `largest relative difference ${worst.toExponential(1)}, at most ${LOSS_TOLERANCE.toExponential(0)} allowed\n`,
    );
    return agree;
  } finally {
    for (const { peer } of contestants) await peer.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  const backends = backendsOf(values.backends);
  console.log(`machine   ${describeMachine()}`);
  console.log("step      forward, backward, clipping, AdamW, in f32");
  if (values.check === true) {
    return await measure(trainingTask(CHECK_MODEL, 4), values, backends) ? EXIT.ok : EXIT.failed;
  }
  let agree = true;
  for (const [name, task] of modelsOf(values.models)) {
    // TensorFlow's backends take minutes for the larger shapes.
    agree = await measure(await task(), values, name === "a" || values.backends !== undefined ? backends : []) && agree;
  }
  return agree ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) {
  await runProgram(main);
}
