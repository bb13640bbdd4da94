/** What a command line prints, for tests of commands. */
import { main } from "../../src/cli/main.ts";

/** Runs a command line and gives its exit code and what it printed. */
export async function output(args: readonly string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...words: unknown[]) => lines.push(words.join(" "));
  try {
    return { code: await main(args), text: lines.join("\n") };
  } finally {
    console.log = log;
  }
}
