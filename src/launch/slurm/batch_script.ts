/** The script of a job: one worker as a step of it, which comes back to the queue when it was stopped. */
import { EXIT } from "../../errors.ts";
import { shellLine, shellWord } from "../shell.ts";
import { taskLine, type WorkerCommand } from "../worker_command.ts";

/** Slurm's own delay of a requeued job is two minutes; a run that somebody else holds is asked for less often. */
const HELD_ELSEWHERE_SECONDS = 300;

/** What `srun --mpi` may say: Open MPI's ranks find each other by PMIx, MPICH's by PMI-2. */
export const SRUN_MPI = ["pmix", "pmi2"] as const;

/** Ranks of a job's step. */
export interface SlurmRanks {
  readonly count: number;
  readonly mpi: (typeof SRUN_MPI)[number];
}

/** What a script is made of. Paths are whole and the same on every node. */
export interface BatchScript extends WorkerCommand {
  /** what it does, in a line */
  readonly title: string;
  readonly deno: string;
  readonly project: string;
  readonly output: string;
  /** seconds before the time limit at which the worker is told to stop */
  readonly warnSeconds: number;
  /** whether the worker takes `--threads`: as many as the job has CPUs */
  readonly threads: boolean;
  /** ranks that share every step of the worker's, and how srun tells them of each other; absent for a single process */
  readonly ranks?: SlurmRanks;
  /** exit codes after which the job goes back to the queue */
  readonly comesBackAfter: readonly number[];
  /** shell command after success, which may read `$out` and the script's words */
  readonly afterSuccess?: string;
}

/** The text of a script for sbatch. What it needs to know of one job stands after its name: `run.sh --run LABEL`. */
export function batchScript(script: BatchScript): string {
  const { title, task, words, writes, deno, project, output, warnSeconds, threads, ranks, comesBackAfter } = script;
  const { afterSuccess } = script;
  const tasks = ranks === undefined ? "--ntasks=1" : `--ntasks=${ranks.count} --mpi=${ranks.mpi}`;
  return `#!/bin/bash
# ${title}. submit.sh beside this file submits it.
#SBATCH --requeue
#SBATCH --open-mode=append${ranks === undefined ? "" : `\n#SBATCH --ntasks=${ranks.count}`}
# Told in time, the worker writes a checkpoint and stops. Sent to the step alone (no "B:"), and up to a minute early.
# Never USR1: Deno answers it by opening its debugger.
#SBATCH --signal=USR2@${warnSeconds}
set -u

# The same on every node.
deno=${shellWord(deno)}
project=${shellWord(project)}
out=${shellWord(output)}

if [ ! -e "$out/plan.json" ]; then
  echo "error: node \${SLURMD_NODENAME-} has no $out/plan.json: give a folder that all nodes share, --out DIR" >&2
  exit 2
fi
if [ ! -x "$deno" ]; then
  echo "error: node \${SLURMD_NODENAME-} has no $deno: install Deno where all nodes see it, or change deno= in run.sh" >&2
  exit 2
fi
cd "$project" || exit 2
export INIT_CWD=$out

# Slurm before 23.02 does not tell a job when it ends.
if [ -z "\${SLURM_JOB_END_TIME-}" ]; then
  end=$(date --date="$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e)" +%s 2> /dev/null) &&
    export SLURM_JOB_END_TIME=$end
fi

# Bash waits for the step to end before it acts on this: the step gets the signal too, and stops in order.
trap : TERM
cpus=\${SLURM_CPUS_PER_TASK:-\${SLURM_CPUS_ON_NODE:-1}} # srun does not take it from the job since Slurm 22.05
echo "$(date --utc +%FT%TZ) job $SLURM_JOB_ID, start $((\${SLURM_RESTART_COUNT:-0} + 1)), on \${SLURMD_NODENAME-}: $*"
# As a step: when a job is preempted, a step is told at once, the script only at the end of the grace time.
srun ${tasks} --cpus-per-task="$cpus" --kill-on-bad-exit=1 \\
  "$deno" ${taskLine(task, writes)} ${shellLine(words)}${threads ? ' --threads="$cpus"' : ""} "$@"
code=$?
state=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)
echo "$(date --utc +%FT%TZ) job $SLURM_JOB_ID: exit code $code"
${afterSuccess === undefined ? "" : `[ "$code" != 0 ] || ${afterSuccess}\n`}
# 130: stopped with a checkpoint. 75: held by someone else, or not there yet. Back to the queue under the same number, so
# that jobs which wait for this one keep waiting. Not where the job is no longer running: someone cancelled it, or Slurm
# puts it back itself.
if [[ " ${comesBackAfter.join(" ")} " == *" $code "* && $state == RUNNING ]]; then
  trap '' TERM
  if scontrol requeue "$SLURM_JOB_ID"; then
    [ "$code" != ${EXIT.waiting} ] || scontrol update JobId="$SLURM_JOB_ID" StartTime=now+${HELD_ELSEWHERE_SECONDS}
    sleep 300 # Slurm ends this script; if it ended by itself, the job would count as failed
  fi
  echo "error: job $SLURM_JOB_ID could not be put back into the queue: submit it again with submit.sh" >&2
fi
exit "$code"
`;
}
