/**
 * `deno run benchmarks/commitments.ts`: what a run's evidence costs. The start of scale tiny's pre-training is trained
 * with everything that makes it checkable (journal, digests, curves, checkpoints, all synced to the disk) and as a bare
 * loop of the same steps and evaluations, in turn; then each part is timed by itself.
 */
import { parseCommandLine } from "../src/cli/arguments.ts";
import { startEngine } from "../src/cli/start_engine.ts";
import { openCorpora } from "../src/data/corpora.ts";
import { sha256 } from "../src/digest/sha256.ts";
import type { Engine, Session } from "../src/engine/engine.ts";
import { EXIT } from "../src/errors.ts";
import { runProgram } from "./run_program.ts";
import { isCheckpointStep, isEvaluationStep } from "../src/experiment/run/evaluation.ts";
import { buildPlan } from "../src/experiment/plan/plan.ts";
import type { PlannedRun } from "../src/experiment/run/run.ts";
import { initializeWeights } from "../src/model/initial_weights.ts";
import { learningRateTable } from "../src/schedule/learning_rate.ts";
import { checkpointName, writeCheckpoint } from "../src/train/checkpoint/checkpoint.ts";
import { type Corpora, Validation, ValidationSets } from "../src/train/evaluation/evaluation.ts";
import { JournalWriter } from "../src/train/journal/journal.ts";
import { headerOf } from "../src/train/run_header.ts";
import { toBits } from "../src/train/journal/journal_record.ts";
import { RunFolder } from "../src/train/folder/run_folder.ts";
import { stateDigest } from "../src/train/checkpoint/state_digest.ts";
import { sessionOptions } from "../src/train/session_pool.ts";
import { trainPlan } from "../src/train/train_plan.ts";
import { describeMachine } from "./machine.ts";
import { median } from "./statistics.ts";
import { percent, textTable } from "./text_table.ts";

const OPTIONS = {
  rounds: { kind: "count", value: "N", help: "rounds to take the median of (default: 5)" },
  steps: { kind: "count", value: "N", help: "optimizer steps of a run (default: 250)" },
  threads: { kind: "count", value: "N", help: "threads of the engine (default: 2)" },
} as const;

const SCALE = "tiny";
const WORK_FOLDER = ".cache";

/** What both ways of training share. */
interface Workload {
  readonly run: PlannedRun;
  readonly engine: Engine;
  readonly corpora: Corpora;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Training as `deno task reproduce` does it, into a new folder. */
async function trainWithEvidence({ run, engine, corpora }: Workload, output: string): Promise<string> {
  const [result] = await trainPlan({ runs: [run], engine, corpora, output });
  if (result?.kind !== "trained") throw new Error(`Run "${run.label}" was not trained`);
  return result.record.states.at(-1)?.state ?? "";
}

/** The same steps, batches and evaluations, and nothing on the disk; returns the state's digest, taken at the end. */
async function trainBare({ run, engine, corpora }: Workload): Promise<{ seconds: number; state: string }> {
  const { model, corpus, orderSeed, batchSequences, evaluation, schedule, initialWeights } = run.specification;
  if (initialWeights.kind !== "random") throw new Error("The bare loop starts from random weights");
  const { seed } = initialWeights;
  const session = await engine.open(sessionOptions(run));
  try {
    const seconds = await secondsOf(async () => {
      const validation = await Validation.load(corpora, evaluation);
      const rates = learningRateTable(schedule);
      const batchAt = (step: number) => corpora[corpus.name].batch(step, batchSequences, orderSeed);
      await session.writeState(({ weights }) => initializeWeights(model, seed, weights));
      // The next batch is read while the engine works, as in a run.
      let next = batchAt(0);
      for (let step = 0; step <= run.steps; step++) {
        if (isEvaluationStep(evaluation, step)) await validation.losses(session, model.sequenceLength);
        if (step === run.steps) break;
        const { tokens } = await next;
        if (step + 1 < run.steps) next = batchAt(step + 1);
        await session.step(tokens, rates[step] ?? 0, step);
      }
    });
    return { seconds, state: await stateDigest(await session.readState(), run.steps, run.steps * batchSequences) };
  } finally {
    session.close();
  }
}

/** Bits of numbers for records that nobody reads. */
const [HALF, ONE] = [toBits(0.5), toBits(1)];

/** One part of the evidence, timed by itself while no engine works. */
interface Part {
  readonly name: string;
  readonly count: number;
  readonly seconds: number;
}

async function timeParts({ run, engine, corpora }: Workload, folder: string): Promise<Part[]> {
  const { specification, steps, key } = run;
  const { model, corpus, orderSeed, batchSequences } = specification;
  const checkpoints = Array.from({ length: steps }, (_, i) => i + 1)
    .filter((step) => isCheckpointStep(specification, step));
  const batch = await corpora[corpus.name].batch(0, batchSequences, orderSeed);
  const digest = sha256("any");
  const runFolder = new RunFolder(folder, "parts");
  const header = await headerOf(run, corpora, new ValidationSets());
  const journal = await JournalWriter.create(runFolder.journal, header);
  const session: Session = await engine.open(sessionOptions(run));
  try {
    await session.writeState(({ weights }) => initializeWeights(model, 1, weights));
    const trained = await session.readState();
    const batchBytes = new Uint8Array(batch.tokens.buffer, batch.tokens.byteOffset, batch.tokens.byteLength);
    const repeat = async (times: number, work: (i: number) => unknown) => {
      for (let i = 0; i < times; i++) await work(i);
    };
    const parts: [name: string, count: number, work: (i: number) => unknown][] = [
      ["digest of a batch", steps, () => sha256(batchBytes)],
      [
        "journal record of a step",
        steps,
        (step) => journal.append({ kind: "step", step, lr: HALF, loss: ONE, gradientNorm: ONE, batch: batch.digest }),
      ],
      ["journal on the disk", checkpoints.length + 1, () => journal.sync()],
      ["digest of the state", checkpoints.length + 1, () => stateDigest(trained, 0, 0)],
      [
        "checkpoint on the disk",
        checkpoints.length,
        (i) =>
          writeCheckpoint(`${runFolder.checkpoints}/${checkpointName(i)}`, model, trained, {
            run: key,
            step: i,
            dataPosition: 0,
            state: digest,
          }),
      ],
    ];
    const timed: Part[] = [];
    for (const [name, count, work] of parts) {
      timed.push({ name, count, seconds: await secondsOf(() => repeat(count, work)) });
    }
    return timed;
  } finally {
    journal.close();
    session.close();
  }
}

async function prepare(steps: number, threads: number): Promise<Workload & { close: () => void }> {
  const engine = await startEngine({ threads });
  const { level, arithmetic } = engine;
  const common = { scale: SCALE, seeds: 1, only: ["upstream"], engine: { level, arithmetic } };
  const { scale } = await buildPlan(common);
  const corpora = await openCorpora({ source: { kind: "npm" }, sequenceLength: scale.model.config.sequenceLength });
  const { upstream, downstream } = corpora;
  const close = () => [upstream, downstream].forEach((corpus) => corpus.close());
  const plan = await buildPlan({
    ...common,
    corpusDigests: { upstream: upstream.digest, downstream: downstream.digest },
  });
  const [run] = plan.runs;
  if (run === undefined) throw new Error("The plan has no run");
  return { run: { ...run, steps: Math.min(steps, run.steps) }, engine, corpora, close };
}

async function main(args: readonly string[]): Promise<number> {
  const { values: { rounds = 5, steps = 250, threads = 2 } } = parseCommandLine(args, OPTIONS);
  console.log(`machine  ${describeMachine()}`);
  const workload = await prepare(steps, threads);
  await Deno.mkdir(WORK_FOLDER, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: WORK_FOLDER, prefix: "commitments-" });
  try {
    console.log(
      `run      scale ${SCALE}, ${workload.run.label}, ${workload.run.steps} steps, ${threads} threads, ` +
        `${rounds} rounds in turn`,
    );
    const times: { withEvidence: number; bare: number }[] = [];
    let same = true;
    for (let round = 0; round < rounds; round++) {
      let state = "";
      const output = `${folder}/${round}`;
      const withEvidence = await secondsOf(async () => state = await trainWithEvidence(workload, output));
      const bare = await trainBare(workload);
      times.push({ withEvidence, bare: bare.seconds });
      same &&= steps % workload.run.specification.checkpointInterval !== 0 || bare.state === state;
    }
    const total = median(times.map(({ withEvidence }) => withEvidence));
    const shares = times.map(({ withEvidence, bare }) => 1 - bare / withEvidence);
    const parts = await timeParts(workload, folder);
    const sum = parts.reduce((seconds, part) => seconds + part.seconds, 0);
    console.log(
      `whole    ${total.toFixed(2)} s; a bare loop ${median(times.map(({ bare }) => bare)).toFixed(2)} s (medians)`,
    );
    console.log(
      `evidence ${percent(sum / total)} of the time by its parts; ${percent(median(shares))} by difference of the`,
    );
    console.log(
      `         two ways, round by round from ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}\n`,
    );
    const rows = parts.map(({ name, count, seconds }) => [
      name,
      String(count),
      (1e3 * seconds / count).toFixed(3),
      percent(seconds / total),
    ]);
    console.log(textTable(["part, timed by itself", "times", "ms each", "of the run"], rows));
    console.log("\nDigests of batches are taken in both ways of training, while the engine works.");
    if (!same) console.log("THE STATES DIFFER: the bare loop did not train the same");
    return same ? EXIT.ok : EXIT.failed;
  } finally {
    workload.close();
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await runProgram(main);
}
