/** Other programs with a time limit: what they printed, and how they ended. */

/** A program that ended, or was ended. */
export interface Ended {
  readonly success: boolean;
  /** in words: `code 1`, `signal SIGSEGV`, `stopped after 60 s` */
  readonly how: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  /** of its life; it is killed then */
  readonly seconds: number;
  /** called with what it prints, as it prints it */
  readonly onOutput?: (text: string) => void;
  /** whether all that it started is killed with it: it then leads a group of its own, which Ctrl-C does not reach */
  readonly group?: boolean;
}

/** Leaders of groups that still run. */
const groups = new Set<number>();

/** Kills every group that {@linkcode runProgram} started: for the end of this process by a signal. */
export function killGroups(): void {
  for (const leader of groups) kill(-leader);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

async function textOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void,
): Promise<string> {
  let all = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    all += text;
    onText(text);
  }
  return all;
}

/** @throws {Deno.errors.NotFound} if there is no such program */
export async function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { seconds, onOutput = () => {}, group = false } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: group,
  }).spawn();
  if (group) groups.add(child.pid);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(group ? -child.pid : child.pid);
  }, 1000 * seconds);
  try {
    const [stdout, stderr, { success, code, signal }] = await Promise.all([
      textOf(child.stdout, onOutput),
      textOf(child.stderr, onOutput),
      child.status,
    ]);
    const how = late ? `stopped after ${seconds.toFixed(0)} s` : signal === null ? `code ${code}` : `signal ${signal}`;
    return { success: success && !late, how, stdout, stderr };
  } finally {
    clearTimeout(timer);
    // What it left behind would share the GPU with the next part.
    if (group) kill(-child.pid);
    groups.delete(child.pid);
  }
}

/** The first line a program prints, or `undefined` if it cannot be run. */
export async function askProgram(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await runProgram(program, args, { seconds: 30 });
    return success ? stdout.trim().split("\n")[0] : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.trim().split("\n").slice(-lines).join("\n");
}

/** What a program said last, for messages: without the stack of calls, which its log has. */
export function lastWords(text: string): string {
  const words = text.split("\n").filter((line) => !/^\s*(at |File "|\^|~)|^\s*$/.test(line));
  return tail(words.join("\n"), 8);
}

/** Arguments with which this runtime runs a module of the benchmark. Packages are taken as they lie in `node_modules`. */
export function denoArguments(module: URL): string[] {
  return ["run", "--quiet", "--no-prompt", "--allow-all", "--node-modules-dir=manual", module.pathname];
}
