/** A program that is driven by lines of JSON on its standard input, and answers by lines on its output. */

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
