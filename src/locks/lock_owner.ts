/** Who holds a lock: what this process says of itself, and what others left of themselves. */
import { z } from "zod";
import { schedulerJob } from "./scheduler_job.ts";

/** A process that works in an output folder. */
export interface LockOwner {
  readonly pid: number;
  /** its machine's name; absent where the process may not know it */
  readonly host?: string;
  /** the scheduler's job, such as `slurm 4711`; absent outside of one */
  readonly job?: string;
  /** ISO 8601, UTC, by the clock of its own machine */
  readonly startedAt: string;
}

/** As it stands in a file. */
export const lockOwnerSchema: z.ZodType<LockOwner> = z.strictObject({
  pid: z.int().min(0),
  host: z.string().min(1).max(300).exactOptional(),
  job: z.string().min(1).max(300).exactOptional(),
  startedAt: z.string().max(40),
});

/** The name of this machine; undefined where the process may not know it, for which nobody is asked. */
function thisHost(): string | undefined {
  const permission = { name: "sys", kind: "hostname" } as const;
  return Deno.permissions.querySync(permission).state === "granted" ? Deno.hostname() : undefined;
}

/** This process as it is now. */
export function thisProcess(): LockOwner {
  const host = thisHost();
  const job = schedulerJob()?.name;
  return {
    pid: Deno.pid,
    host,
    job,
    startedAt: new Date().toISOString(),
  };
}

/** A process in words: `process 4711 on node-3 (slurm 88), started 2026-12-01T03:00:00.000Z`. */
export function ownerInWords({ pid, host, job, startedAt }: LockOwner): string {
  return `process ${pid}${host === undefined ? "" : ` on ${host}`}${
    job === undefined ? "" : ` (${job})`
  }, started ${startedAt}`;
}
