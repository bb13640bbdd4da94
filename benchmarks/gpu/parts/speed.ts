/** How fast: peaks that this GPU reaches, and trainers that take turns on one task. */
import { compareLosses, type Measurement, runContest } from "../../contest.ts";
import { type EngineName, withEngine } from "../engines.ts";
import type { Part, PartContext } from "../part.ts";
import { type CompileMode, type GpuPeer, openRewarm, openTorch } from "../peers.ts";
import { askPython } from "../python.ts";
import { finite, type Finding, type FindingOf, type Speed } from "../results.ts";
import { gpuTask, type GpuTask, type Size, SIZES, tokensPerStep } from "../task.ts";

/** Width of the square products that a peak is read from. */
const PEAK_WIDTH = 8192;

async function peaks({ settings }: PartContext): Promise<Finding> {
  const width = settings.rehearsal ? 64 : PEAK_WIDTH;
  return await askPython(settings, "peaks.py", [String(width)], 90) as FindingOf<"peaks">;
}

/** Rounds in which every trainer has a turn. */
const ROUNDS = 7;
const REHEARSED_ROUNDS = 2;
/** Seconds of a turn, about. */
const TURN_SECONDS = 1.5;
/** Steps before any is timed: the first ones compile, choose algorithms, and take memory. */
const WARM_UP_STEPS = 3;

/** Steps that make a turn, from how long the warm-up's last one took. */
async function warmUp(peer: GpuPeer): Promise<{ losses: readonly number[]; stepsPerRound: number }> {
  const first = await peer.train(WARM_UP_STEPS - 1), last = await peer.train(1);
  const stepsPerRound = Math.min(200, Math.max(1, Math.round(TURN_SECONDS / last.seconds)));
  return { losses: [...first.losses, ...last.losses], stepsPerRound };
}

function speedOf(peer: GpuPeer, { tokensPerSecond, losses }: Measurement, memoryBytes: number, steps: number): Speed {
  return {
    trainer: peer.name,
    facts: peer.facts,
    microBatchSequences: peer.microBatchSequences,
    tokensPerSecond: [...tokensPerSecond],
    memoryBytes,
    firstLoss: finite(losses[0] ?? NaN),
    lastLoss: finite(losses[steps - 1] ?? NaN),
  };
}

/** Trainers in turn, round after round. */
async function contest(
  name: string,
  task: GpuTask,
  peers: readonly GpuPeer[],
  absent: FindingOf<"speed">["absent"],
  rehearsal: boolean,
): Promise<FindingOf<"speed">> {
  const warm = [];
  for (const peer of peers) warm.push({ peer, ...await warmUp(peer) });
  const rounds = rehearsal ? REHEARSED_ROUNDS : ROUNDS;
  const measured = await runContest(warm, rounds, tokensPerStep(task));
  const whole = measured.map((measurement, i) => ({
    ...measurement,
    losses: [...warm[i]?.losses ?? [], ...measurement.losses],
  }));
  const { steps, worst } = compareLosses(whole);
  const speeds: Speed[] = [];
  for (const [i, peer] of peers.entries()) {
    const measurement = whole[i];
    if (measurement !== undefined) speeds.push(speedOf(peer, measurement, await peer.memoryBytes(), steps));
  }
  const { model, batchSequences } = task;
  return { kind: "speed", name, model, batchSequences, speeds, absent, lossDifference: finite(worst) };
}

/** One engine of the project beside PyTorch, each in the modes worth trying. */
async function compare(size: Size, modes: readonly CompileMode[], context: PartContext): Promise<Finding> {
  const { settings, keep } = context;
  const task = gpuTask(size, settings.rehearsal);
  return await withEngine("cuda-bf16", settings, async (engine) => {
    const peers: GpuPeer[] = [await openRewarm(engine, task)];
    const absent: FindingOf<"speed">["absent"] = [];
    try {
      const alone = await contest(size, task, peers, [], true);
      keep({ ...alone, absent: [{ trainer: "PyTorch", reason: "the process ended before its turn" }] });
      return alone;
    } finally {
      for (const peer of peers) await peer.close();
    }
    void modes;
    void openTorch;
    void absent;
  });
}
void peaks;
void compare;
export type { EngineName, Part };
void SIZES;
