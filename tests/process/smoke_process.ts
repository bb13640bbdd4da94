/** `rewarm reproduce --scale smoke` as a process that tests can watch and stop. */
import { PROJECT, REPRODUCE } from "./command_line.ts";

/**
 * Starts it.
 *
 * @param cwd where caches, key and relative output folders are; the test's own by default
 */
export function startSmoke(args: readonly string[], cwd?: string): Deno.ChildProcess {
  const main = `${PROJECT}/src/cli/main.ts`;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", `${PROJECT}/deno.json`, ...REPRODUCE, main, "reproduce", "--scale", "smoke", ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
    cwd,
  }).spawn();
}

/** Waits for the end of a process; what it wrote as text. */
export async function finish(
  process: Deno.ChildProcess,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
