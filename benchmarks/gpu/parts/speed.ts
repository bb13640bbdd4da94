/** How fast: peaks that this GPU reaches, and trainers that take turns on one task. */
import { contest, warmUp } from "../contest.ts";
import { type EngineName, modeOf, withEngine } from "../engines.ts";
import type { Part, PartContext } from "../part.ts";
import { type CompileMode, openRewarm, openTorch } from "../peers.ts";
import { askPython } from "../python.ts";
import type { Finding, FindingOf } from "../results.ts";
import { gpuTask, type Size, SIZES } from "../task.ts";

/** Width of the square matmuls that a peak is read from. */
const PEAK_WIDTH = 8192;

async function peaks({ settings }: PartContext): Promise<Finding> {
  const width = settings.rehearsal ? 64 : PEAK_WIDTH;
  return await askPython(settings, "peaks.py", [String(width)], 90) as FindingOf<"peaks">;
}

/** Rounds of one trainer alone, and of all in turn. */
const ALONE_ROUNDS = 3;
const ROUNDS = 7;
const REHEARSED_ROUNDS = 2;

/** The mixed mode beside PyTorch. */
async function compare(size: Size, mode: CompileMode, context: PartContext): Promise<Finding> {
  const { settings, keep } = context;
  const task = gpuTask(size, settings.rehearsal);
  return await withEngine("cuda-bf16", settings, async (engine) => {
    const trainers = [await warmUp(await openRewarm(engine, task))];
    const absent: FindingOf<"speed">["absent"] = [];
    try {
      keep(await contest(size, task, trainers, settings.rehearsal ? 1 : ALONE_ROUNDS));
      const peer = await openTorch(task, settings.rehearsal ? "eager" : mode, context);
      if (typeof peer === "string") absent.push({ trainer: `PyTorch, ${mode}`, reason: peer });
      else trainers.push(await warmUp(peer));
      return await contest(size, task, trainers, settings.rehearsal ? REHEARSED_ROUNDS : ROUNDS, absent);
    } finally {
      for (const { peer } of trainers) await peer.close();
    }
  });
}

/** Sequences of a step in the ordered mode, which takes long. */
const ORDERED_SEQUENCES = 8;

/** One engine without anyone beside it. */
async function alone(engine: EngineName, size: Size, { settings }: PartContext): Promise<Finding> {
  const sequences = { batchSequences: ORDERED_SEQUENCES, microBatchSequences: ORDERED_SEQUENCES };
  const task = gpuTask(size, settings.rehearsal, modeOf(engine) === "ordered" ? sequences : {});
  return await withEngine(engine, settings, async (opened) => {
    const trainer = await warmUp(await openRewarm(opened, task));
    try {
      return await contest(`${size}, ${engine}`, task, [trainer], settings.rehearsal ? 1 : ALONE_ROUNDS);
    } finally {
      await trainer.peer.close();
    }
  });
}

function comparison(size: Size, mode: CompileMode): Part {
  return {
    name: `speed-${size.replace("pythia-", "")}${mode === "default" ? "" : `-${mode}`}`,
    stage: "speed",
    summary: `${size}: the mixed mode in bf16 beside PyTorch (torch.compile ${mode}), in turn`,
    seconds: 330,
    run: (context) => compare(size, mode, context),
  };
}

/** The largest first: should time run out, the others are missed less. */
const LARGEST_FIRST = SIZES.toReversed();

/** Parts of this stage. */
export const SPEED_PARTS: readonly Part[] = [
  {
    name: "peaks",
    stage: "speed",
    summary: "matmuls by cuBLAS and a copy: what this GPU reaches",
    seconds: 100,
    run: peaks,
  },
  ...LARGEST_FIRST.map((size) => comparison(size, "default")),
  ...LARGEST_FIRST.map((size): Part => ({
    name: `ordered-${size.replace("pythia-", "")}`,
    stage: "speed",
    summary: `${size}: the ordered mode`,
    seconds: 90,
    run: (context) => alone("cuda-ordered", size, context),
  })),
  {
    name: "fp16-410m",
    stage: "speed",
    summary: "pythia-410m: the mixed mode in fp16, as the paper trained",
    seconds: 90,
    run: (context) => alone("cuda-fp16", "pythia-410m", context),
  },
  // CUDA graphs pay only where kernels are short.
  ...(["pythia-70m", "pythia-14m"] as const).map((size) => comparison(size, "reduce-overhead")),
];
