/**
 * The one place that writes to the terminal. What it is given may hold names, labels and messages that others wrote:
 * every character that a terminal would act upon is made visible. Our own control codes are values of their own type.
 */
import { UserError } from "./errors.ts";
import { visible } from "./files/safe_name.ts";

/** Where a text goes: results to `stdout`, warnings, errors and progress of side jobs to `stderr`. */
export type Stream = "stdout" | "stderr";

const STREAMS = { stdout: Deno.stdout, stderr: Deno.stderr } as const;

/** A control sequence that this program sends on purpose. */
export class ControlCode {
  private constructor(readonly sequence: string) {}

  /** To the first column of this line. */
  static readonly lineStart = new ControlCode("\r");
  /** Clears from the cursor to the end of its line. */
  static readonly eraseLine = new ControlCode("\x1b[0K");
  /** Clears from the cursor to the end of the screen. */
  static readonly eraseBelow = new ControlCode("\x1b[0J");
  /** Up by some lines, to the same column. */
  static readonly up = (lines: number): ControlCode => new ControlCode(`\x1b[${Math.trunc(lines)}A`);
}

/** Sequences that set a colour or weight and end it, as `formatClaims` makes them. */
// deno-lint-ignore no-control-regex
const COLOURS = /(\x1b\[[0-9]{1,2}m)/;

/** Prints whole lines; the console's own printers, also where {@linkcode guardConsole} stands before them. */
let printers = {
  stdout: (text: string) => console.log(text),
  stderr: (text: string) => console.error(text),
};

/** How {@linkcode print} treats its text. */
export interface PrintOptions {
  /** colours in the text are our own and stay */
  readonly colours?: boolean;
}

/** Prints a text and a line feed to the standard output. */
export function print(text = "", { colours = false }: PrintOptions = {}): void {
  const shown = colours
    ? text.split(COLOURS).map((part, i) => i % 2 === 1 ? part : visible(part)).join("")
    : visible(text);
  printers.stdout(shown);
}

/** Prints a value as JSON, in lines unless `compact`. Invisible characters are escaped as JSON escapes them. */
export function printJson(value: unknown, { compact = false }: { readonly compact?: boolean } = {}): void {
  print(compact ? JSON.stringify(value) : JSON.stringify(value, null, 2));
}

/** Prints a message to the standard error. Further lines of it are set in, so that none poses as a line of ours. */
export function printError(text = ""): void {
  printers.stderr(visible(text).replace(/\n(?=.)/g, "\n  "));
}

/** Prints a warning to the standard error. */
export function printWarning(text: string): void {
  printError(`warning: ${text}`);
}

/** Prints what ended the program: a problem in words with its code, or a bug with its stack. */
export function printFailure(error: unknown): void {
  if (error instanceof UserError) printError(`error: ${error.message} [${error.code}]`);
  else printError(`This is a bug in rewarm: ${Deno.inspect(error, { colors: false })}`);
}

/** Writes parts at once and without a line's end; texts are made visible, control codes are sent. */
export function draw(stream: Stream, ...parts: readonly (string | ControlCode)[]): void {
  write(stream, parts.map((part) => typeof part === "string" ? visible(part) : part.sequence).join(""));
}

/** Writes running text to the standard output, without a line's end: as {@linkcode draw}, but tabs belong to it. */
export async function writeText(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text.split("\t").map(visible).join("\t"));
  for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
}

function write(stream: Stream, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += STREAMS[stream].writeSync(bytes.subarray(done));
}

/** Whether a person watches a stream. */
export function isTerminal(stream: Stream): boolean {
  return STREAMS[stream].isTerminal();
}

/** Columns that a line of a live view may take. */
export function lineWidth(stream: Stream): number {
  return Math.max(20, (isTerminal(stream) ? Deno.consoleSize().columns : 80) - 1);
}

/** Sends what packages print of their own accord the same way. */
export function guardConsole(): void {
  const { log, error } = console;
  printers = { stdout: (text) => log(text), stderr: (text) => error(text) };
  const guard = (stream: Stream) => (...values: unknown[]) =>
    printers[stream](visible(values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" ")));
  const [out, err] = [guard("stdout"), guard("stderr")];
  Object.assign(console, { log: out, info: out, debug: out, warn: err, error: err });
}
