/** The project's Python programs, run once: JSON in, JSON out. */
import { Skipped } from "./part.ts";
import { lastWords, runProgram, tail } from "./processes.ts";
import type { Settings } from "./settings.ts";

/** Path of a program below `python/`. */
export function pythonProgram(name: string): string {
  return new URL(`python/${name}`, import.meta.url).pathname;
}

/**
 * What a program prints as the last line of its output.
 *
 * @throws {Skipped} where there is no interpreter with what the program needs
 */
export async function askPython(
  { python }: Settings,
  name: string,
  args: readonly string[],
  seconds: number,
): Promise<unknown> {
  let ended;
  try {
    ended = await runProgram(python, [pythonProgram(name), ...args], { seconds });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Skipped(`"${python}" is not on this machine`);
    throw error;
  }
  const { success, how, stdout, stderr } = ended;
  if (!success) throw new Error(`${name} ended with ${how}:\n${lastWords(stderr)}`);
  const answer: unknown = JSON.parse(tail(stdout, 1));
  if (typeof answer === "object" && answer !== null && "unavailable" in answer) {
    throw new Skipped(String(answer.unavailable));
  }
  return answer;
}
