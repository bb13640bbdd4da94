/**
 * A plan carried out on several GPUs that fail, are taken away and have time limits: no training, a clock of its own.
 * Each run goes as a job does under `launch slurm`: it waits for the run that it starts from, takes a free GPU in the
 * order in which it was submitted, writes checkpoints, stops ahead of its limit, and comes back to the queue.
 */
import { philox } from "../../src/arithmetic/philox.ts";
import type { Task } from "../../src/launch/timetable.ts";

/** One run. Times are hours. */
export interface SimulatedRun extends Task {
  /** of training between two checkpoints */
  readonly checkpointInterval: number;
  /** name of the run before it in its lane, where `--max-parallel` makes lanes; it waits for that one's end too */
  readonly lane?: string;
}

/** What happens on the way. Times are hours, rates are by GPU and hour. */
export interface Circumstances {
  readonly gpus: number;
  /** a node dies, with all since the last checkpoint */
  readonly failureRate: number;
  /** until a node that died is back */
  readonly repair: number;
  /** a job is told to stop, and stops with a checkpoint */
  readonly preemptionRate: number;
  /** until a GPU that was taken away is given back */
  readonly absence: number;
  /** of a job; it stops with a checkpoint ahead of it */
  readonly timeLimit: number;
  /** in the queue after each end of a job that is not the run's */
  readonly requeue: number;
  /** of a job before it trains: loading, compiling, reading the newest checkpoint */
  readonly startup: number;
  readonly seed: number;
}

/** What came of it. */
export interface Simulated {
  /** hours from the first job to the last */
  readonly makespan: number;
  /** GPU-hours trained twice, since they came after the last checkpoint */
  readonly lost: number;
  readonly failures: number;
  readonly preemptions: number;
  readonly timeLimits: number;
  /** most GPUs in use at once */
  readonly busiest: number;
}

/** Numbers in (0, 1), the same for the same seed on every machine. */
function uniform(seed: number): () => number {
  const words = new Uint32Array(4);
  let index = 0;
  return () => {
    philox([seed, 0], [index++, 0, 0, 0], words);
    return ((words[0] ?? 0) + 0.5) / 2 ** 32;
  };
}

/** How a stretch of a job ends. */
type End = "done" | "failure" | "preemption" | "time limit";

interface Stretch {
  readonly run: SimulatedRun;
  readonly gpu: number;
  readonly start: number;
  readonly until: number;
  readonly end: End;
}

/** See above. @param runs in the order in which they are submitted, each after the one that it waits for */
export function simulate(runs: readonly SimulatedRun[], circumstances: Circumstances): Simulated {
  const { gpus, startup, requeue, repair, absence, timeLimit } = circumstances;
  const draw = uniform(circumstances.seed);
  const untilEvent = (rate: number) => rate === 0 ? Infinity : -Math.log(draw()) / rate;
  const freeAt: number[] = Array.from({ length: gpus }, () => 0);
  const endedAt = new Map<string, number>();
  const waits = (...names: readonly (string | undefined)[]) =>
    Math.max(0, ...names.map((name) => name === undefined ? 0 : endedAt.get(name) ?? Infinity));
  const readyAt = new Map(runs.map(({ name, after, lane }) => [name, waits(after, lane)]));
  const trained = new Map(runs.map(({ name }) => [name, 0]));
  const left = new Set(runs);
  const active: Stretch[] = [];
  const counts = { lost: 0, failure: 0, preemption: 0, "time limit": 0, done: 0, busiest: 0 };
  let now = 0;

  const begin = (run: SimulatedRun, gpu: number) => {
    const whole = startup + run.duration - (trained.get(run.name) ?? 0);
    const ends: [number, End][] = [
      [whole, "done"],
      [untilEvent(circumstances.failureRate), "failure"],
      [untilEvent(circumstances.preemptionRate), "preemption"],
      [timeLimit, "time limit"],
    ];
    const [length, end] = ends.reduce((first, other) => other[0] < first[0] ? other : first);
    active.push({ run, gpu, start: now, until: now + length, end });
    readyAt.set(run.name, Infinity);
    freeAt[gpu] = Infinity;
    counts.busiest = Math.max(counts.busiest, active.length);
  };

  const conclude = ({ run, gpu, start, until, end }: Stretch) => {
    counts[end]++;
    const before = trained.get(run.name) ?? 0;
    const reached = Math.min(run.duration, before + Math.max(0, until - start - startup));
    const kept = end === "failure"
      ? Math.max(before, Math.floor(reached / run.checkpointInterval) * run.checkpointInterval)
      : reached;
    counts.lost += reached - kept;
    trained.set(run.name, kept);
    freeAt[gpu] = until + (end === "failure" ? repair : end === "preemption" ? absence : 0);
    if (end !== "done") return readyAt.set(run.name, until + requeue);
    left.delete(run);
    endedAt.set(run.name, until);
    for (const { name, after, lane } of runs) {
      if (after === run.name || lane === run.name) readyAt.set(name, waits(after, lane));
    }
  };

  while (left.size > 0) {
    for (const run of runs) {
      const gpu = freeAt.findIndex((time) => time <= now);
      if (gpu >= 0 && (readyAt.get(run.name) ?? Infinity) <= now) begin(run, gpu);
    }
    const next = Math.min(
      ...active.map(({ until }) => until),
      ...[...freeAt, ...readyAt.values()].filter((time) => time > now),
    );
    if (next === Infinity) throw new RangeError("Nothing more can happen, but runs are left");
    now = next;
    for (const stretch of active.filter(({ until }) => until <= now)) {
      active.splice(active.indexOf(stretch), 1);
      conclude(stretch);
    }
  }
  return {
    makespan: now,
    lost: counts.lost,
    failures: counts.failure,
    preemptions: counts.preemption,
    timeLimits: counts["time limit"],
    busiest: counts.busiest,
  };
}
