/** A launch of the smoke plan, and a scheduler that only remembers. */
import { UserError } from "../../../src/errors.ts";
import type { Plan } from "../../../src/experiment/plan/plan.ts";
import type { SlurmLaunch } from "../../../src/launch/slurm/launch.ts";
import type { Scheduler } from "../../../src/launch/slurm/scheduler.ts";
import { fixedPlan } from "../../experiment/plan/plan_fixture.ts";

/** The plan of the fixtures' smallest scale. */
export const PLAN: Plan = await fixedPlan("smoke");

/** What is launched into a folder. */
export function launchInto(output: string, changes: Partial<SlurmLaunch> = {}): SlurmLaunch {
  return {
    plan: PLAN,
    output,
    deno: "/opt/deno",
    project: "/opt/rewarm",
    worker: { task: "reproduce:native", words: [`--out=${output}`, "--scale=smoke"], threads: true },
    warnSeconds: 300,
    options: { words: ["--partition=gpu", "--comment=it's $HOME"], asksForGpu: false },
    ...changes,
  };
}

/** A queue in memory. */
export class Queue implements Scheduler {
  /** what sbatch was called with, by the jobs' numbers */
  readonly submitted = new Map<string, readonly string[]>();
  /** jobs that have left the queue */
  readonly ended = new Set<string>();

  /** @param breaksAfter the scheduler fails after so many jobs */
  constructor(public breaksAfter = Infinity) {}

  /** The job of a name that is in the queue. */
  find(name: string): readonly string[] | undefined {
    return [...this.submitted].find(([number, words]) =>
      !this.ended.has(number) && words.includes(`--job-name=${name}`)
    )?.[1];
  }

  queue(folder: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const [number, words] of this.submitted) {
      if (this.ended.has(number) || !words.includes(`--chdir=${folder}`)) continue;
      const name = words.find((word) => word.startsWith("--job-name="))?.slice("--job-name=".length);
      if (name !== undefined) found.set(name, number);
    }
    return Promise.resolve(found);
  }

  submit(words: readonly string[]): Promise<string> {
    if (this.submitted.size >= this.breaksAfter) {
      return Promise.reject(new UserError("SCHEDULER_FAILED", "sbatch ended with code 1: Socket timed out"));
    }
    const number = `${100 + this.submitted.size}`;
    this.submitted.set(number, words);
    return Promise.resolve(number);
  }
}
