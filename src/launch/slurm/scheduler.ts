/** Slurm's own programs. They are the only ones that a launcher starts. */
import { UserError } from "../../errors.ts";
import { SQUEUE_WORDS } from "./submission.ts";

/** What a launcher asks of Slurm. */
export interface Scheduler {
  /**
   * Numbers of this user's jobs of one folder, waiting or running, by their names.
   *
   * @throws {UserError} `NO_SCHEDULER`, `SCHEDULER_FAILED`
   */
  queue(folder: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Submits a job.
   *
   * @returns its number
   * @throws {UserError} `NO_SCHEDULER`, `SCHEDULER_FAILED` with what Slurm said
   */
  submit(words: readonly string[]): Promise<string>;
}

/** Slurm on this machine. */
export const SLURM: Scheduler = slurmPrograms();

/** Slurm by its programs: their names in PATH, or paths. */
export function slurmPrograms({ squeue = "squeue", sbatch = "sbatch" } = {}): Scheduler {
  return {
    queue: async (folder) => {
      const jobs = new Map<string, string>();
      for (const line of (await run(squeue, SQUEUE_WORDS)).split("\n")) {
        const [, number, where, name] = /^([^|]*)\|([^|]*)\|(.*)$/.exec(line) ?? [];
        if (number !== undefined && name !== undefined && where === folder) jobs.set(name, number);
      }
      return jobs;
    },
    submit: async (words) => {
      const printed = await run(sbatch, words);
      // "123", or "123;cluster" where there are several
      const [, number] = /^(\d+)(?:;|$)/.exec(printed.trim()) ?? [];
      if (number !== undefined) return number;
      throw new UserError(
        "SCHEDULER_FAILED",
        `sbatch printed "${printed.trim().slice(0, 200)}", expected the number of a job`,
        "see squeue whether it was submitted",
      );
    },
  };
}

async function run(program: string, words: readonly string[]): Promise<string> {
  // Deno grants what it finds in PATH when it starts. Asked before use, so that nobody is prompted for what is not there.
  if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") throw noScheduler(program);
  const { success, code, stdout, stderr } = await started(program, words);
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new UserError(
    "SCHEDULER_FAILED",
    `${program} ended with code ${code}: ${decoder.decode(stderr).trim().slice(0, 500) || "it said nothing"}`,
    'mend the options after "--", or wait until Slurm answers; what was submitted before stays in the queue, ' +
      "and the same command continues from there",
  );
}

async function started(program: string, words: readonly string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, { args: [...words], stdin: "null" }).output();
  } catch (error) {
    // A process that may start any program is granted those that are not there, too.
    if (error instanceof Deno.errors.NotFound) throw noScheduler(program, error);
    throw error;
  }
}

function noScheduler(program: string, cause?: Error): UserError {
  return new UserError(
    "NO_SCHEDULER",
    `There is no program "${program}" in PATH that this process may start`,
    "give the command on a machine of the cluster's that submits jobs, or run the script there that was written",
    { cause },
  );
}
