/** A program that is driven by lines of JSON on its standard input, and answers by lines on its output. */

import type { Unavailable } from "./peer.ts";

/** A running program; what it says on the standard error goes to this one's. */
export class LineProcess {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** @throws {Deno.errors.NotFound} if there is no such program */
  constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(program, { args: [...args], stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Hands over bytes as they are. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#writer.write(bytes);
  }

  async send(message: unknown): Promise<void> {
    await this.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  /** The next line of output. */
  async receive<T>(): Promise<T> {
    while (true) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`the process ended with code ${(await this.#child.status).code}`);
      this.#rest += value;
    }
  }

  /** Ends the process by the end of its input. */
  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
  }
}

/** A Python program of `benchmarks/peers` that is to be started. */
export interface PythonProgram {
  /** how the table names it */
  readonly name: string;
  /** name or path of the interpreter */
  readonly python: string;
  readonly args: readonly string[];
  /** its first line */
  readonly task: unknown;
}

/**
 * Starts a Python program and hands over its task. It answers by a greeting, or by `{"unavailable": reason}` where a
 * package is missing.
 *
 * @returns what runs and its greeting, or why it does not: no interpreter, no permission to run it, no package
 */
export async function startPython<Greeting extends object>(
  { name, python, args, task }: PythonProgram,
): Promise<{ readonly process: LineProcess; readonly greeting: Greeting } | Unavailable> {
  const { state } = await Deno.permissions.request({ name: "run", command: python });
  if (state !== "granted") {
    return { name, reason: `"${python}" may not be run; put the folder of that python3 first in PATH instead` };
  }
  let process: LineProcess | undefined;
  try {
    process = new LineProcess(python, args);
    // A process without the package answers without reading: what cannot be written then is no error of its own.
    const sent = process.send(task).catch(() => {});
    const greeting = await process.receive<Greeting | { readonly unavailable: string }>();
    if ("unavailable" in greeting) {
      await process.close();
      return { name, reason: greeting.unavailable };
    }
    await sent;
    return { process, greeting };
  } catch (error) {
    await process?.close();
    return { name, reason: `"${python}": ${error instanceof Error ? error.message : String(error)}` };
  }
}
