/** When jobs of known length would run on so many machines: list scheduling, and the least time that any way takes. */

/** One job. */
export interface Task {
  readonly name: string;
  /** in any unit, above 0 */
  readonly duration: number;
  /** name of the job that has to end before */
  readonly after?: string;
}

/** A job with its place. */
export interface Placed {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** machine, from 0 */
  readonly machine: number;
}

/**
 * Gives every job a machine, as a scheduler would that never leaves one idle while a job can start: the first in the
 * list that is ready takes the machine that is free first.
 *
 * @param tasks in the order in which they are wanted, each after the one that it waits for
 * @param machines from 1
 * @returns in the order in which they start
 */
export function timetable(tasks: readonly Task[], machines: number): readonly Placed[] {
  const free: number[] = Array.from({ length: machines }, () => 0);
  const placed = new Map<string, Placed>();
  const waiting = [...tasks];
  const readyAt = ({ name, after }: Task): number => {
    if (after === undefined) return 0;
    if (!tasks.some((task) => task.name === after)) {
      throw new RangeError(`"${name}" waits for "${after}", which is no job`);
    }
    return placed.get(after)?.end ?? Infinity;
  };
  while (waiting.length > 0) {
    const now = Math.max(Math.min(...free), Math.min(...waiting.map(readyAt)));
    const index = waiting.findIndex((task) => readyAt(task) <= now);
    const [task] = waiting.splice(index, 1);
    if (task === undefined || now === Infinity) throw new RangeError("Jobs wait for each other");
    const machine = free.indexOf(Math.min(...free));
    const end = now + task.duration;
    free[machine] = end;
    placed.set(task.name, { name: task.name, start: now, end, machine });
  }
  return [...placed.values()];
}

/** When the last of them ends. */
export function makespan(placed: readonly Pick<Placed, "end">[]): number {
  return Math.max(0, ...placed.map(({ end }) => end));
}

/** What no way of carrying out jobs on so many machines can beat, while a job stays whole on one machine. */
export interface LeastTime {
  /** all work over all machines; or only that which has to wait, after the time that it has to wait for */
  readonly work: number;
  /** the longest chain of jobs that wait for each other: the critical path */
  readonly chain: number;
  /** of the longest `machines + 1` jobs, two share a machine: the shortest two of them, one after the other */
  readonly pair: number;
  /** the largest of the three */
  readonly bound: number;
}

/** See {@linkcode LeastTime}. */
export function leastTime(tasks: readonly Task[], machines: number): LeastTime {
  const ends = new Map<string, number>();
  const starts = tasks.map(({ name, duration, after }) => {
    const start = after === undefined ? 0 : ends.get(after) ?? 0;
    ends.set(name, start + duration);
    return { start, duration };
  });
  const workFrom = (time: number) =>
    starts.reduce((sum, { start, duration }) => start >= time ? sum + duration : sum, 0) / machines;
  const work = Math.max(0, ...starts.map(({ start }) => start + workFrom(start)));
  const chain = Math.max(0, ...ends.values());
  const longest = tasks.map(({ duration }) => duration).sort((a, b) => b - a);
  const pair = machines < longest.length ? (longest[machines - 1] ?? 0) + (longest[machines] ?? 0) : 0;
  return { work, chain, pair, bound: Math.max(work, chain, pair) };
}
