/** Bits: those that every machine must find, and those that this one must find twice. */
import { GOLDEN } from "../../../tests/reproduce/smoke.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { createExactEngine } from "../../../src/engine/exact/engine.ts";
import { callChild, childCommand } from "../call_child.ts";
import { equalCheck, trueCheck } from "../checks.ts";
import { type EngineName, MIXED_ENGINES, withEngine } from "../engines.ts";
import { orderedDigests } from "../cases/ordered.ts";
import { type Part, type PartContext, Skipped } from "../part.ts";
import { askProgram } from "../processes.ts";
import type { Check, Finding } from "../results.ts";
import { exactKernels } from "../settings.ts";
import { orderedStandIn } from "../stand_ins.ts";
import { BATCH_COUNT, gpuTask, type Size, type TaskChoice } from "../task.ts";
import { train } from "../training.ts";

async function golden({ settings, folder }: PartContext): Promise<Finding> {
  const digest = await callChild("smoke", settings, { engine: "cuda-ordered", folder }, 240);
  return { kind: "checks", checks: [equalCheck("smoke scale, all runs", digest, GOLDEN.digest)] };
}

/** Widths and lengths of real models, as far as a CPU follows in seconds. */
const AGREEMENTS: readonly (TaskChoice & { readonly size: Size; readonly steps: number })[] = [
  { size: "pythia-14m", batchSequences: 2, microBatchSequences: 1, steps: 2 },
  { size: "pythia-70m", shape: { sequenceLength: 1024 }, batchSequences: 2, microBatchSequences: 1, steps: 2 },
  { size: "pythia-160m", shape: { sequenceLength: 256 }, batchSequences: 2, microBatchSequences: 2, steps: 1 },
];

async function exactAgreement({ settings, keep }: PartContext): Promise<Finding> {
  const checks: Check[] = [];
  const exact = await createExactEngine({ threads: 2, sha256, cache: exactKernels });
  for (const { size, steps, ...choice } of AGREEMENTS) {
    const task = gpuTask(size, settings.rehearsal, choice);
    const stretch = { from: 0, to: steps };
    const expected = await train(exact, task, stretch);
    const found = await withEngine("cuda-ordered", settings, (cuda) => train(cuda, task, stretch));
    const { batchSequences, model: { sequenceLength } } = task;
    const what = `${size}, ${batchSequences} × ${sequenceLength} tokens, ${steps} steps`;
    checks.push(equalCheck(`losses of ${what}`, found.losses.join(), expected.losses.join()));
    checks.push(equalCheck(`state after ${what}`, found.digest, expected.digest));
    keep({ kind: "checks", checks });
  }
  return { kind: "checks", checks };
}

async function standInAgreement({ settings }: PartContext): Promise<Finding> {
  if (await askProgram("g++", "--version") === undefined) throw new Skipped("g++ is not on this machine");
  const onStandIn = { ...settings, rehearsal: true, libraryFolders: [await orderedStandIn(settings.work)] };
  const expected = await callChild("orderedCases", onStandIn, null, 120);
  const found = await orderedDigests(settings);
  const checks = Object.keys(expected).map((name) => equalCheck(name, found[name] ?? "", expected[name] ?? "none"));
  return { kind: "checks", checks };
}

/** Steps of a repeated training; it is cut after half of them. */
const STEPS = 6;

/** The same training in three processes: once whole, once more, and once in two halves. */
async function repeated(engine: EngineName, { settings, folder, keep }: PartContext): Promise<Finding> {
  const checks: Check[] = [];
  for (const size of ["pythia-14m", "pythia-160m"] as const) {
    const task = { engine, size, batchSequences: 8, microBatchSequences: 4 };
    const stretch = (from: number, to: number, more: object = {}) =>
      callChild("train", settings, { ...task, from, to, ...more }, 120);
    const whole = await stretch(0, STEPS);
    const again = await stretch(0, STEPS);
    await stretch(0, STEPS / 2, { save: folder });
    const resumed = await stretch(STEPS / 2, STEPS, { resume: folder });
    // The fifth step has the first one's batch again.
    const falls = (whole.losses[BATCH_COUNT] ?? NaN) < (whole.losses[0] ?? NaN);
    checks.push(
      equalCheck(`${size}, ${STEPS} steps once more`, again.digest, whole.digest),
      equalCheck(`${size}, ${STEPS / 2} steps and, in another process, ${STEPS / 2}`, resumed.digest, whole.digest),
      trueCheck(
        `${size}, loss falls`,
        falls,
        whole.losses.map((loss) => loss.toFixed(4)).join(" "),
        "fifth below first",
      ),
    );
    keep({ kind: "checks", checks });
  }
  return { kind: "checks", checks };
}

/** Runs that are finished before each kill. */
const KILLS = [1, 5, 9];

/** The smoke scale, killed again and again without a warning, against the same undisturbed. */
async function killed(engine: EngineName, { settings, folder }: PartContext): Promise<Finding> {
  const undisturbed = await callChild("smoke", settings, { engine, folder: `${folder}/undisturbed` }, 240);
  const args = { engine, folder: `${folder}/killed` };
  let kills = 0;
  for (const runs of KILLS) {
    if (await killAfter(runs, childCommand("smoke", settings, args))) kills++;
  }
  const resumed = await callChild("smoke", settings, args, 240);
  return {
    kind: "checks",
    checks: [
      trueCheck("kills", kills > 0, String(kills), "at least 1"),
      equalCheck("smoke scale after kills", resumed, undisturbed),
    ],
  };
}

/** Kills a program soon after it has reported some runs; false if it ended by itself before. */
async function killAfter(runs: number, [program = "", ...args]: readonly string[]): Promise<boolean> {
  const child = new Deno.Command(program, { args: [...args], stdout: "piped", stderr: "null" }).spawn();
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.split("a run is done").length > runs) {
      // In the midst of the next run, as far as a moment can tell.
      await new Promise((resolve) => setTimeout(resolve, 30));
      child.kill("SIGKILL");
      break;
    }
  }
  return (await child.status).signal === "SIGKILL";
}

/** Parts of this stage that compare digests. */
export const BIT_PARTS: readonly Part[] = [
  {
    name: "golden-digest",
    stage: "correctness",
    summary: "cuda-ordered trains the smoke scale to the pinned digest",
    seconds: 250,
    run: golden,
  },
  {
    name: "exact-agreement",
    stage: "correctness",
    summary: "cuda-ordered gives the exact engine's bits at the widths of Pythia",
    seconds: 240,
    run: exactAgreement,
  },
  {
    name: "stand-in-agreement",
    stage: "correctness",
    summary: "ordered kernels give the same digests on the GPU and on the CPU stand-in",
    seconds: 240,
    run: standInAgreement,
  },
  ...MIXED_ENGINES.flatMap((engine): Part[] => [
    {
      name: `repeat-${engine}`,
      stage: "correctness",
      summary: `${engine} gives the same bits twice, and when it goes on in another process`,
      seconds: 240,
      run: (context) => repeated(engine, context),
    },
    {
      name: `kill-${engine}`,
      stage: "correctness",
      summary: `${engine} gives the same bits when its process is killed and started again`,
      seconds: 400,
      run: (context) => killed(engine, context),
    },
  ]),
];
