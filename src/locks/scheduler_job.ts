/**
 * What a cluster's scheduler tells a process of its job, by environment variables. Each is looked at only where the task
 * may read it, and nobody is asked.
 *
 * @see Slurm's `sbatch(1)`, "OUTPUT ENVIRONMENT VARIABLES"; Kubernetes' Indexed Jobs; SkyPilot's environment variables
 */

/** The job that this process belongs to. */
export interface SchedulerJob {
  /** the scheduler and its name for the job: `slurm 4711` */
  readonly name: string;
  /** when the scheduler ends it, in milliseconds since 1970; absent where it does not say */
  readonly endsAt?: number;
}

/** The variables that are read, in the order in which they are looked at; tasks that train are given these. */
export const SCHEDULER_VARIABLES = [
  "SLURM_JOB_ID",
  "SLURM_JOB_END_TIME",
  "JOB_COMPLETION_INDEX",
  "SKYPILOT_TASK_ID",
] as const;

type Variable = (typeof SCHEDULER_VARIABLES)[number];

/** The value of a variable; undefined where it is not set, or may not be read. */
function environmentOfProcess(variable: Variable): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable);
}

/**
 * The job that this process belongs to; undefined outside of one.
 *
 * @param environment gives the values of variables; this process's own if absent
 */
export function schedulerJob(
  environment: (variable: Variable) => string | undefined = environmentOfProcess,
): SchedulerJob | undefined {
  const value = (variable: Variable) => {
    const text = environment(variable)?.trim() ?? "";
    return text === "" ? undefined : text.slice(0, 200);
  };
  const slurm = value("SLURM_JOB_ID");
  if (slurm !== undefined) {
    // Seconds since 1970. Slurm writes a very large number where a job has no limit.
    const seconds = Number(value("SLURM_JOB_END_TIME") ?? NaN);
    const hasEnd = Number.isSafeInteger(seconds) && seconds > 0 && seconds < 0xffff_fffe;
    return { name: `slurm ${slurm}`, ...(hasEnd ? { endsAt: 1000 * seconds } : {}) };
  }
  const index = value("JOB_COMPLETION_INDEX");
  if (index !== undefined) return { name: `kubernetes index ${index}` };
  const sky = value("SKYPILOT_TASK_ID");
  return sky === undefined ? undefined : { name: `skypilot ${sky}` };
}
