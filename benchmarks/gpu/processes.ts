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
  /** handed to its standard input */
  readonly input?: string;
  /** called with what it prints, as it prints it */
  readonly onOutput?: (text: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

async function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onText: (text: string) => void): Promise<string> {
  let all = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    all += text;
    onText(text);
  }
  return all;
}

/** @throws {Deno.errors.NotFound} if there is no such program */
export async function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { seconds, input, onOutput = () => {}, env = {} } = options;
  const stdin = input === undefined ? "null" : "piped";
  const command = new Deno.Command(program, { args: [...args], env, stdin, stdout: "piped", stderr: "piped" });
  const child = command.spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, 1000 * seconds);
  try {
    const written = input === undefined ? undefined : new Blob([input]).stream().pipeTo(child.stdin).catch(() => {});
    const [stdout, stderr, { success, code, signal }] = await Promise.all([
      textOf(child.stdout, onOutput),
      textOf(child.stderr, onOutput),
      child.status,
      written,
    ]);
    const how = late ? `stopped after ${seconds.toFixed(0)} s` : signal === null ? `code ${code}` : `signal ${signal}`;
    return { success: success && !late, how, stdout, stderr };
  } finally {
    clearTimeout(timer);
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

/** The last lines of a text, for messages. */
export function tail(text: string, lines = 12): string {
  return text.trim().split("\n").slice(-lines).join("\n");
}

/** Arguments with which this runtime runs a module of the benchmark. Packages are taken as they lie in `node_modules`. */
export function denoArguments(module: URL): string[] {
  return ["run", "--quiet", "--no-prompt", "--allow-all", "--node-modules-dir=manual", module.pathname];
}
