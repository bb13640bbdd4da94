/** Calls child.ts: work in a process of its own. */
import type { Jobs } from "./child.ts";
import { denoArguments, type Ended, lastWords, runProgram, tail } from "./processes.ts";
import type { Settings } from "./settings.ts";

/** What a job is told. */
type ArgumentsOf<Job extends keyof Jobs> = Parameters<Jobs[Job]>[1];
/** What it answers. */
type AnswerOf<Job extends keyof Jobs> = Awaited<ReturnType<Jobs[Job]>>;

/** The program and arguments that do a job. */
export function childCommand<Job extends keyof Jobs>(job: Job, settings: Settings, args: ArgumentsOf<Job>): string[] {
  const module = new URL("child.ts", import.meta.url);
  return [Deno.execPath(), ...denoArguments(module), job, JSON.stringify(settings), JSON.stringify(args)];
}

/** What a finished job answered. @throws {Error} with its last words if it did not come to its end */
export function answerOf<Job extends keyof Jobs>(job: Job, { success, how, stdout, stderr }: Ended): AnswerOf<Job> {
  if (!success) throw new Error(`The child for "${job}" ended with ${how}:\n${lastWords(stderr || stdout)}`);
  return JSON.parse(tail(stdout, 1)) as AnswerOf<Job>;
}

/** Has a job done, and waits for its answer. */
export async function callChild<Job extends keyof Jobs>(
  job: Job,
  settings: Settings,
  args: ArgumentsOf<Job>,
  seconds: number,
): Promise<AnswerOf<Job>> {
  const [program = "", ...rest] = childCommand(job, settings, args);
  return answerOf(job, await runProgram(program, rest, { seconds }));
}
