/** Where a step's time goes: each kernel's, beside the least that its work needs. */
import { LaunchCosts } from "../costs/launch_costs.ts";
import { type EngineName, type MatmulChoice, modeOf, withEngine } from "../engines.ts";
import { KernelTotals } from "../kernel_times.ts";
import { LaunchTimer } from "../launch_timer.ts";
import { paperStep } from "../paper_step.ts";
import type { Part, PartContext } from "../part.ts";
import { dataSheet, PAPER_DEVICE, type Peaks } from "../peaks.ts";
import type { Finding, FindingOf } from "../results.ts";
import { type GpuTask, gpuTask, type Size } from "../task.ts";
import { openTraining } from "../training.ts";
import { median } from "../../statistics.ts";

/** Steps before any is timed, steps that are timed whole, steps that are timed launch by launch. */
const WARM_UP_STEPS = 2;
const WHOLE_STEPS = 3;
const TIMED_STEPS = 2;

function paperPeaks(): Peaks {
  const peaks = dataSheet(PAPER_DEVICE);
  if (peaks === undefined) throw new Error(`There is no data sheet of ${PAPER_DEVICE}`);
  return peaks;
}

/** One micro-batch a step, of the size that speed is measured with. */
function profiledTask(engine: EngineName, size: Size, rehearsal: boolean): GpuTask {
  const { microBatchSequences } = gpuTask(size, rehearsal);
  const sequences = modeOf(engine) === "ordered" ? Math.min(8, microBatchSequences) : microBatchSequences;
  return gpuTask(size, rehearsal, { batchSequences: sequences, microBatchSequences: sequences });
}

function description(engine: EngineName, task: GpuTask): Omit<FindingOf<"profile">, "stepMilliseconds" | "kernels"> {
  const { size, model, batchSequences, microBatchSequences } = task;
  const mode = modeOf(engine);
  return {
    kind: "profile",
    name: size,
    engine,
    mode,
    model,
    batchSequences,
    microBatchSequences,
    predictedFor: PAPER_DEVICE,
  };
}

async function profile(
  { engine, size, matmuls }: Profiled,
  { settings }: PartContext,
): Promise<Finding> {
  const task = profiledTask(engine, size, settings.rehearsal);
  const timer = new LaunchTimer(), costs = await LaunchCosts.read(modeOf(engine));
  return await withEngine(engine, settings, async (opened) => {
    const session = await openTraining(opened, task);
    let step = 0;
    const train = async () => {
      const start = performance.now();
      await session.step(task.batches[step % task.batches.length] ?? new Uint16Array(), task.learningRate, step);
      step++;
      return performance.now() - start;
    };
    try {
      for (let i = 0; i < WARM_UP_STEPS; i++) await train();
      const whole: number[] = [];
      for (let i = 0; i < WHOLE_STEPS; i++) whole.push(await train());
      const totals = new KernelTotals(paperPeaks());
      for (let i = 0; i < TIMED_STEPS; i++) {
        for (const { what, milliseconds } of await timer.record(train)) {
          const [name, cost] = "launch" in what
            ? [what.launch.kernel, costs.of(what.launch, task.model)]
            : [what.name, what.cost];
          totals.add(name, cost, milliseconds);
        }
      }
      return {
        ...description(engine, task),
        stepMilliseconds: median(whole),
        kernels: totals.perStep(TIMED_STEPS),
      };
    } finally {
      session.close();
    }
  }, matmuls === undefined ? {} : { matmuls });
}

async function onPaper({ engine, size }: Profiled, { settings }: PartContext): Promise<Finding> {
  const task = profiledTask(engine, size, settings.rehearsal);
  const { model, optimizer, batchSequences, microBatchSequences } = task;
  const options = { model, optimizer, batchSequences, gradientBlockSequences: microBatchSequences };
  const totals = await paperStep(modeOf(engine), options, paperPeaks());
  return { ...description(engine, task), stepMilliseconds: 0, kernels: totals.perStep(1) };
}

/** What is profiled. */
interface Profiled extends MatmulChoice {
  readonly engine: EngineName;
  readonly size: Size;
}

const PROFILED: readonly Profiled[] = [
  { engine: "cuda-ordered", size: "pythia-410m" },
  { engine: "cuda-bf16", size: "pythia-410m" },
  { engine: "cuda-bf16", size: "pythia-14m" },
];
/** Without cuBLASLt, to see what its matmuls are worth. */
const OWN_MATMULS: Profiled = { engine: "cuda-bf16", size: "pythia-410m", matmuls: "own" };

function nameOf({ engine, size, matmuls }: Profiled): string {
  return `${engine.replace("cuda-", "")}-${size.replace("pythia-", "")}${matmuls === undefined ? "" : `-${matmuls}`}`;
}

/** Parts of this stage. */
export const PROFILE_PARTS: readonly Part[] = [
  ...PROFILED.map((what): Part => ({
    name: `paper-${nameOf(what)}`,
    stage: "profile",
    summary: `a step of ${what.size} by ${what.engine} on paper: the least time of each kernel`,
    seconds: 60,
    needsNoGpu: true,
    run: (context) => onPaper(what, context),
  })),
  ...[...PROFILED, OWN_MATMULS].map((what): Part => ({
    name: `profile-${nameOf(what)}`,
    stage: "profile",
    summary: `a step of ${what.size} by ${what.engine}${
      what.matmuls === "own" ? " without cuBLASLt" : ""
    }, launch by launch`,
    seconds: 90,
    run: (context) => profile(what, context),
  })),
];
