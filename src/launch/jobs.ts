/** A plan as jobs: a run each, in the order in which to submit them. */
import { runCost } from "../experiment/plan/cost.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { longestChainFirst, parentOf } from "../experiment/run/run_graph.ts";
import { timetable } from "./timetable.ts";

/** Hexadecimal digits of a key that names have. */
const NAME_DIGITS = 16;

/** One run as a job. */
export interface RunJob {
  readonly label: string;
  /** of the scheduler's: the run's label for people, its key for us */
  readonly name: string;
  /** label of the run that has to be done before */
  readonly parent?: string;
  /** where no more than so many jobs may run at once: jobs of one lane wait for each other */
  readonly lane?: number;
  readonly steps: number;
}

/** Name of a run's job, the same whenever the plan holds the run. */
export function jobName({ label, key }: Pick<PlannedRun, "label" | "key">): string {
  return `rewarm:${label}:${key.slice(0, NAME_DIGITS)}`;
}

/** Name of a job that belongs to a plan, not to a run. */
export function planJobName(what: string, { planDigest }: Pick<Plan, "planDigest">): string {
  return `rewarm:${what}:${planDigest.slice(0, NAME_DIGITS)}`;
}

function flops(run: PlannedRun): number {
  return runCost(run).flops;
}

/**
 * A plan's runs as jobs, the longest chain of work first and each after the run that it starts from.
 *
 * With `maxParallel`, jobs are shared out to so many lanes by a timetable of their FLOPs. Lanes also keep a long run's
 * place while it goes back to the queue between two jobs: benchmarks/cluster shows what that saves.
 */
export function runJobs({ runs }: Pick<Plan, "runs">, maxParallel?: number): readonly RunJob[] {
  const order = longestChainFirst(runs, flops);
  const lanes = maxParallel === undefined ? new Map<string, number>() : lanesOf(order, maxParallel);
  const jobs = order.map((run): RunJob => {
    const parent = parentOf(run, runs);
    const lane = lanes.get(run.label);
    return {
      label: run.label,
      name: jobName(run),
      steps: run.steps,
      ...(parent === undefined ? {} : { parent: parent.label }),
      ...(lane === undefined ? {} : { lane }),
    };
  });
  if (maxParallel === undefined) return jobs;
  const places = [...lanes.keys()];
  return jobs.sort((a, b) => places.indexOf(a.label) - places.indexOf(b.label));
}

/** Lane of each run by its label, in the order in which they start. */
function lanesOf(order: readonly PlannedRun[], lanes: number): Map<string, number> {
  const tasks = order.map((run) => {
    const parent = parentOf(run, order);
    return { name: run.label, duration: flops(run), ...(parent === undefined ? {} : { after: parent.label }) };
  });
  return new Map(timetable(tasks, lanes).map(({ name, machine }) => [name, machine]));
}

/** How many jobs at once shorten the plan: more GPUs than that stay idle. */
export function usefulParallelism({ runs }: Pick<Plan, "runs">): number {
  return Math.max(0, ...lanesOf(longestChainFirst(runs, flops), Math.max(1, runs.length)).values()) + 1;
}
