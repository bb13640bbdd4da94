/** A contest of trainers on one GPU: warm-up, rounds in turn, and what the results say of each. */
import { compareLosses, runContest } from "../contest.ts";
import type { GpuPeer } from "./peers.ts";
import { type FindingOf, finite, type Speed } from "./results.ts";
import { type GpuTask, tokensPerStep } from "./task.ts";

/** Seconds of a turn, about. */
const TURN_SECONDS = 1.5;
const MOST_STEPS = 200;
/** Steps before any is timed: the first ones compile, choose algorithms, and take memory. */
const WARM_UP_STEPS = 3;

/** A trainer that is ready, with the losses of all its steps so far. */
export interface Ready {
  readonly peer: GpuPeer;
  readonly losses: readonly number[];
  /** steps that make a turn */
  readonly stepsPerRound: number;
}

/** Warms a trainer up; the length of its turns follows from the last step's time. */
export async function warmUp(peer: GpuPeer): Promise<Ready> {
  const losses: number[] = [];
  const recorded: GpuPeer = {
    ...peer,
    async train(steps) {
      const timed = await peer.train(steps);
      losses.push(...timed.losses);
      return timed;
    },
  };
  await recorded.train(WARM_UP_STEPS - 1);
  const { seconds } = await recorded.train(1);
  const stepsPerRound = Math.min(MOST_STEPS, Math.max(1, Math.round(TURN_SECONDS / seconds)));
  return { peer: recorded, losses, stepsPerRound };
}

/** Trainers in turn, round after round; how far their losses are apart counts from the first step of each. */
export async function contest(
  name: string,
  task: GpuTask,
  trainers: readonly Ready[],
  rounds: number,
  absent: FindingOf<"speed">["absent"] = [],
): Promise<FindingOf<"speed">> {
  const measurements = await runContest(trainers, rounds, tokensPerStep(task));
  const whole = measurements.map((measurement, i) => ({ ...measurement, losses: trainers[i]?.losses ?? [] }));
  const { steps, worst } = compareLosses(whole);
  const speeds: Speed[] = [];
  for (const [i, { tokensPerSecond, losses }] of whole.entries()) {
    const peer = trainers[i]?.peer;
    if (peer === undefined) continue;
    speeds.push({
      trainer: peer.name,
      facts: peer.facts,
      unit: peer.unit,
      microBatchSequences: peer.microBatchSequences,
      tokensPerSecond: [...tokensPerSecond],
      memoryBytes: await peer.memoryBytes(),
      firstLoss: finite(losses[0] ?? NaN),
      lastLoss: finite(losses[steps - 1] ?? NaN),
    });
  }
  const { model, batchSequences } = task;
  return { kind: "speed", name, model, batchSequences, speeds, absent, lossDifference: finite(worst) };
}
