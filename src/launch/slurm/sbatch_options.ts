/** Options of sbatch that a user adds to every job: which of them a job of ours cannot have. */
import { UserError } from "../../errors.ts";
import { slurmSeconds } from "./time_limit.ts";

/** Options that the launcher gives itself, or that would make another job of it, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  "job-name": "jobs are named by their runs' keys, by which a second launch finds them",
  "dependency": "jobs wait for the runs that they start from",
  "kill-on-invalid-dep": "it is set: what waits for a run that failed leaves the queue",
  "output": "each run has a log of its own in the output folder",
  "error": "each run has a log of its own in the output folder",
  "open-mode": "a job that comes back appends to its log",
  "chdir": "jobs of one output folder are found by it",
  "signal": 'the warning before the time limit is --warn SECONDS, before the "--"',
  "requeue": "it is set: a run that was stopped comes back",
  "no-requeue": "a run that was stopped has to come back",
  "parsable": "it is set",
  "array": "each run is a job of its own",
  "wrap": "each job has its script",
  "wait": "the launcher does not wait for jobs",
  "test-only": "leave out --submit to submit nothing",
  "export-file": "it would hide what Slurm tells a job",
  "ntasks": 'a run is one process, or has --ranks N, before the "--"',
  "quiet": "the job's number is read from what sbatch prints",
  "help": "see sbatch --help",
  "version": "see sbatch --version",
};

/** Short names of the same. */
const SHORT: Readonly<Record<string, string>> = {
  J: "job-name",
  d: "dependency",
  o: "output",
  e: "error",
  D: "chdir",
  a: "array",
  W: "wait",
  n: "ntasks",
  Q: "quiet",
  h: "help",
  V: "version",
  t: "time",
  p: "partition",
  A: "account",
  G: "gpus",
  N: "nodes",
  c: "cpus-per-task",
  q: "qos",
  C: "constraint",
  w: "nodelist",
  x: "exclude",
};

/** Options of sbatch that take no value, so that a word after them is another. */
const FLAGS = [
  "exclusive",
  "contiguous",
  "oversubscribe",
  "overcommit",
  "hold",
  "spread-job",
  "use-min-nodes",
  "reboot",
];
const SHORT_FLAGS = ["s", "O", "H"];

/** Names that people give before the `--` by mistake, to tell them where they belong. */
const KNOWN = [
  ...Object.keys(REFUSED),
  ...Object.values(SHORT),
  ...FLAGS,
  "mem",
  "mem-per-gpu",
  "mem-per-cpu",
  "gres",
  "gpus-per-node",
  "gpus-per-task",
  "mail-type",
  "mail-user",
  "reservation",
  "comment",
  "export",
  "tmp",
  "licenses",
  "nice",
  "priority",
  "begin",
  "clusters",
  "ntasks-per-node",
];

/** What sbatch is given for every job, and what of it matters here. */
export interface SbatchOptions {
  /** as they were typed */
  readonly words: readonly string[];
  /** seconds; undefined where the cluster's own limit holds */
  readonly timeLimit?: number;
  /** whether some option asks for a GPU */
  readonly asksForGpu: boolean;
}

/** Whether an option that rewarm does not know is one of sbatch's. */
export function isSbatchOption(word: string): boolean {
  const [, name = ""] = /^--?([A-Za-z-]+)/.exec(word) ?? [];
  return word.startsWith("--") ? KNOWN.includes(name) : Object.hasOwn(SHORT, word.slice(1, 2));
}

/**
 * The words after `--`.
 *
 * @param ours names of rewarm's own options, which belong before it
 * @throws {UserError} `UNUSED_OPTION` for an option that a job cannot have, `UNKNOWN_ARGUMENT` for a word that sbatch
 * would take for the script, `BAD_NUMBER` for a time that is none
 */
export function readSbatchOptions(words: readonly string[], ours: readonly string[]): SbatchOptions {
  const given = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f]/.test(word)) {
      throw new UserError(
        "UNKNOWN_ARGUMENT",
        `A word after "--" has a control character: ${JSON.stringify(word)}`,
        "leave it out",
      );
    }
    const long = /^--([a-z][a-z-]*)(?:=(.*))?$/.exec(word);
    const short = /^-([A-Za-z])(.*)$/.exec(word);
    const name = long?.[1] ?? (short === null ? undefined : SHORT[short[1] ?? ""] ?? short[1]);
    if (name === undefined) {
      throw new UserError(
        "UNKNOWN_ARGUMENT",
        `"${word}" after "--" is no option of sbatch's`,
        'rewarm\'s own words stand before the "--"; sbatch would take this one for the script to run',
      );
    }
    const reason = REFUSED[name];
    if (reason !== undefined) {
      throw new UserError("UNUSED_OPTION", `sbatch's option "${word}" cannot be given`, `leave it out: ${reason}`);
    }
    if (ours.includes(name) && !KNOWN.includes(name)) {
      throw new UserError("UNKNOWN_ARGUMENT", `"${word}" is rewarm's, not sbatch's`, 'give it before the "--"');
    }
    const isFlag = long === null ? SHORT_FLAGS.includes(short?.[1] ?? "") : FLAGS.includes(name);
    const inline = long?.[2] ?? (short?.[2] === "" ? undefined : short?.[2]);
    const next = words[i + 1];
    const takesNext = inline === undefined && !isFlag && next !== undefined && !next.startsWith("-");
    given.set(name, inline ?? (takesNext ? next : ""));
    if (takesNext) i++;
  }
  const time = given.get("time");
  const timeLimit = time === undefined ? undefined : timeOf(time);
  const asksForGpu = ["gpus", "gpus-per-node", "gpus-per-task"].some((name) => given.has(name)) ||
    /gpu/.test(given.get("gres") ?? "");
  return { words, asksForGpu, ...(timeLimit === undefined ? {} : { timeLimit }) };
}

function timeOf(text: string): number | undefined {
  const seconds = slurmSeconds(text);
  if (seconds !== undefined || /^(0+|infinite|unlimited)$/i.test(text)) return seconds;
  throw new UserError(
    "BAD_NUMBER",
    `sbatch's option "--time" is "${text}"`,
    "expected a time such as 24:00:00 or 2-00:00",
  );
}
