/** The command line of a worker, with the permissions that its task in deno.json has. */
import project from "../../deno.json" with { type: "json" };
import { shellWord } from "./shell.ts";

const TASKS: Readonly<Record<string, { readonly command?: string }>> = project.tasks;

/** What a worker is started with. */
export interface WorkerCommand {
  /** of deno.json, such as `reproduce:cuda` */
  readonly task: string;
  /** words after those of the task */
  readonly words: readonly string[];
  /** further folders that it writes to */
  readonly writes?: readonly string[];
}

/**
 * Deno's words for a task, as a shell reads them: `$INIT_CWD`, which stands in it, is for the shell to fill in. Run
 * without `deno task`, which takes signals for itself and is ended by those it does not know.
 *
 * @param writes folders that it may write to besides; whole paths without commas
 */
export function taskLine(task: string, writes: readonly string[] = []): string {
  const command = TASKS[task]?.command;
  const [, rest] = /^deno run (.*)$/.exec(command ?? "") ?? [];
  if (rest === undefined) throw new RangeError(`deno.json has no task "${task}" that runs Deno`);
  const folders = writes.map((folder) => `,${shellWord(folder)}`).join("");
  return `run --cached-only ${rest.replace(/--allow-write=\S+/, (permission) => permission + folders)}`;
}
