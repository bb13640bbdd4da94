/** What a command line prints, for tests of commands. */
import { main } from "../../src/cli/main.ts";

/** Runs a command line and gives its exit code and what it printed, to standard output and to standard error. */
export async function output(args: readonly string[]): Promise<{ code: number; text: string; errors: string }> {
  const [lines, errors]: [string[], string[]] = [[], []];
  const { log, error } = console;
  console.log = (...words: unknown[]) => lines.push(words.join(" "));
  console.error = (...words: unknown[]) => errors.push(words.join(" "));
  try {
    return { code: await main(args), text: lines.join("\n"), errors: errors.join("\n") };
  } finally {
    console.log = log;
    console.error = error;
  }
}
