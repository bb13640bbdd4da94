/**
 * `deno task bench:ranks`: what sharing a step costs. The exact engine in one process and in ranks over MPI, beside PyTorch
 * in one process and by DistributedDataParallel over gloo: one thread a process, each on a core of its own, in turn.
 * Ends with code 1 if their losses differ, since then they did not do the same work.
 */
import { type Options, parseCommandLine } from "../src/cli/arguments.ts";
import { EXIT, suggest, UserError } from "../src/errors.ts";
import { loadScale } from "../src/experiment/catalogue.ts";
import { parameterCount } from "../src/model/config.ts";
import { compareLosses, type Measurement, medianRatio, runContest } from "./contest.ts";
import { describeMachine } from "./machine.ts";
import { isAvailable, type Unavailable } from "./peers/peer.ts";
import { openPyTorchRanks, openRanks, type RankedPeer } from "./peers/ranks.ts";
import { runProgram } from "./run_program.ts";
import { median } from "./statistics.ts";
import { grouped, percent, textTable } from "./text_table.ts";
import { BENCHMARK_MODEL, LONG_MODEL, tokensPerStep, type TrainingTask, trainingTask } from "./training_task.ts";

/** Shapes by the name that `--model` takes. */
const MODELS: Readonly<Record<string, () => Promise<TrainingTask> | TrainingTask>> = {
  a: () => trainingTask(BENCHMARK_MODEL, 8, 1),
  tiny: async () => {
    const { model, pretraining, gradientBlockSequences } = await loadScale("tiny");
    return trainingTask(model.config, pretraining.batchSequences, gradientBlockSequences);
  },
  long: () => trainingTask(LONG_MODEL, 4, 1),
};

const SECONDS_PER_TURN = 2;
const MOST_STEPS = 200;
/** Steps before the contest; the last shows how many fill a turn. */
const STEPS_BEFORE = 3;
/** Losses further apart than this, relatively, are not those of the same training; later ones drift apart by rounding. */
const LOSS_TOLERANCE = 1e-3;
const COMPARED_STEPS = 20;

const OPTIONS = {
  model: { kind: "text", value: "NAME", help: "a, tiny, long (Pythia-14M, sequence 2,048) (default: a)" },
  ranks: { kind: "count", value: "N", help: "processes that share a step (default: 2)" },
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 5)" },
  launcher: { kind: "text", value: "PATH", help: "of Open MPI (default: mpirun)" },
  python: { kind: "text", value: "PATH", help: "interpreter that has PyTorch (default: python3)" },
} as const satisfies Options;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(args, OPTIONS);
  const { model = "a", ranks = 2, rounds = 5, launcher = "mpirun", python = "python3" } = values;
  const makeTask = MODELS[model];
  if (makeTask === undefined) {
    throw new UserError("UNKNOWN_MODEL", `Unknown model "${model}"`, suggest(model, Object.keys(MODELS)));
  }
  const task = await makeTask();
  console.log(describeMachine());
  console.log(
    `model     ${model}, ${grouped(parameterCount(task.model))} parameters, ${task.batchSequences} sequences of ` +
      `${task.model.sequenceLength} tokens a step in blocks of ${task.gradientBlockSequences}`,
  );
  const candidates: (() => Promise<RankedPeer | Unavailable>)[] = [
    () => openRanks(task, 1, launcher),
    () => openRanks(task, ranks, launcher),
    () => openPyTorchRanks(task, 1, python),
    () => openPyTorchRanks(task, ranks, python),
  ];
  const peers: RankedPeer[] = [];
  try {
    for (const open of candidates) {
      const peer = await open();
      if (isAvailable(peer)) peers.push(peer);
      else console.log(`skipped: ${peer.name}: ${peer.reason}`);
    }
    const contestants = [];
    for (const peer of peers) {
      let seconds = 0;
      for (let step = 0; step < STEPS_BEFORE; step++) ({ seconds } = await peer.train(1));
      const stepsPerRound = Math.min(MOST_STEPS, Math.max(1, Math.round(SECONDS_PER_TURN / seconds)));
      contestants.push({ peer, stepsPerRound });
    }
    const measurements = await runContest(contestants, rounds, tokensPerStep(task));
    console.log(`rounds    ${rounds}, in turn; medians, and of ratios the median of the rounds'\n`);
    console.log(table(measurements, peers));
    for (const peer of peers.filter(({ name, ranks }) => name.startsWith("rewarm") && ranks > 1)) {
      console.log(`\nrank 0 sends ${grouped(await peer.bytesPerStep?.() ?? 0)} bytes a step`);
    }
    const { steps, worst } = compareLosses(
      measurements.map((measurement) => ({ ...measurement, losses: measurement.losses.slice(0, COMPARED_STEPS) })),
    );
    console.log(`losses of ${steps} steps differ by ${worst.toExponential(1)} at most, relatively`);
    return worst <= LOSS_TOLERANCE ? EXIT.ok : EXIT.failed;
  } finally {
    for (const peer of peers) await peer.close();
  }
}

/** Efficiency is speed over that of as many single processes of the same trainer. */
function table(measurements: readonly Measurement[], peers: readonly RankedPeer[]): string {
  const maker = (name: string) => name.split(/[ ,]/)[0] ?? "";
  const rows = measurements.map((measurement, i) => {
    const ranks = peers[i]?.ranks ?? 1;
    const single = measurements.find((other, j) =>
      peers[j]?.ranks === 1 && maker(other.peer.name) === maker(measurement.peer.name)
    );
    const { tokensPerSecond } = measurement;
    return [
      measurement.peer.name,
      `${ranks}`,
      grouped(median(tokensPerSecond)),
      `${grouped(Math.min(...tokensPerSecond))}–${grouped(Math.max(...tokensPerSecond))}`,
      single === undefined ? "" : `${medianRatio(measurement, single).toFixed(2)}×`,
      single === undefined ? "" : percent(medianRatio(measurement, single) / ranks),
    ];
  });
  return textTable(["", "processes", "tokens/s", "lowest–highest", "÷ one process", "efficiency"], rows);
}

await runProgram(main);
