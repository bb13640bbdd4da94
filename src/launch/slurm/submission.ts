/** What is submitted, in order: by the launcher itself, or by the script that says the same. */
import { shellLine, shellWord } from "../shell.ts";

/** One job. */
export interface Submission {
  /** of the job, by which it is found again */
  readonly name: string;
  /** file in the folder of scripts */
  readonly script: string;
  /** words for it */
  readonly words: readonly string[];
  /** file in the folder of logs, without its ending */
  readonly log: string;
  /** file in the output folder that is there when there is nothing left to do */
  readonly result: string;
  /** names of jobs that have to end well before */
  readonly afterOk: readonly string[];
  /** names of jobs that have to end before, however they do */
  readonly afterAny: readonly string[];
}

/** Where the jobs of one output folder belong. Paths are whole. */
export interface Places {
  readonly output: string;
  readonly scripts: string;
  readonly logs: string;
}

/** Folders below an output folder. */
export function placesOf(output: string): Places {
  return { output, scripts: `${output}/launch/slurm`, logs: `${output}/launch/logs` };
}

/** How the queue is asked for: number, folder and name, which may hold anything, last. */
export const SQUEUE_WORDS = ["--me", "--noheader", "--format=%i|%Z|%j"] as const;

/** A path in a pattern of sbatch's, where % stands before what is filled in. */
function literal(path: string): string {
  return path.replaceAll("%", "%%");
}

/**
 * What sbatch is called with.
 *
 * @param numbers of jobs that are in the queue, by their names; those that are done are not
 * @param options the user's own
 */
export function sbatchWords(
  { name, script, words, log, afterOk, afterAny }: Submission,
  { output, scripts, logs }: Places,
  numbers: ReadonlyMap<string, string>,
  options: readonly string[],
): string[] {
  const wait = (kind: string, names: readonly string[]) => {
    const found = names.flatMap((before) => numbers.get(before) ?? []);
    return found.length === 0 ? [] : [[kind, ...found].join(":")];
  };
  const waits = [...wait("afterok", afterOk), ...wait("afterany", afterAny)];
  return [
    "--parsable",
    `--job-name=${name}`,
    `--chdir=${output}`,
    `--output=${literal(logs)}/${literal(log)}.%j.log`,
    ...(waits.length === 0 ? [] : [`--dependency=${waits.join(",")}`]),
    "--kill-on-invalid-dep=yes",
    ...options,
    `${scripts}/${script}`,
    ...words,
  ];
}

/** The script that submits the same, for people. */
export function submitScript(
  submissions: readonly Submission[],
  { output, scripts, logs }: Places,
  options: readonly string[],
): string {
  const calls = submissions.map(({ name, script, words, log, result, afterOk, afterAny }) =>
    shellLine(["submit", name, result, log, afterOk.join(" "), afterAny.join(" "), script, ...words])
  );
  return `#!/bin/bash
# Submits the jobs of one output folder to Slurm. Read it, change it, run it: bash submit.sh
# What is done, and what is in the queue, is not submitted again.
set -euo pipefail
set -f # no word stands for files

out=${shellWord(output)}
scripts=${shellWord(scripts)}
logs=${shellWord(logs)}
# For every job, besides what stands at the head of its script.
options=(${shellLine(options)})

queue=$(squeue ${shellLine(SQUEUE_WORDS)})
declare -A number=() # of each job by its name

# submit NAME RESULT LOG AFTER-OK AFTER-ANY SCRIPT [WORD...]: the jobs to wait for are names with spaces between them
submit() {
  local name=$1 result=$2 log=$3 ok=$4 any=$5 script=$6
  shift 6
  if [ -e "$out/$result" ]; then
    echo "done       $name"
    return
  fi
  local id folder job before waits=''
  while IFS='|' read -r id folder job; do
    if [ "$folder" = "$out" ] && [ "$job" = "$name" ]; then
      number[$name]=$id
      echo "in queue   $name, job $id"
      return
    fi
  done <<< "$queue"
  local found=''
  for before in $ok; do found+=\${number[$before]+:\${number[$before]}}; done
  [ -z "$found" ] || waits=afterok$found
  found=''
  for before in $any; do found+=\${number[$before]+:\${number[$before]}}; done
  [ -z "$found" ] || waits+=\${waits:+,}afterany$found
  id=$(sbatch --parsable "--job-name=$name" "--chdir=$out" "--output=\${logs//%/%%}/\${log//%/%%}.%j.log" \\
    \${waits:+"--dependency=$waits"} --kill-on-invalid-dep=yes \${options[@]+"\${options[@]}"} "$scripts/$script" "$@")
  number[$name]=\${id%%;*}
  echo "submitted  $name, job \${number[$name]}"
}

${calls.join("\n")}
`;
}
