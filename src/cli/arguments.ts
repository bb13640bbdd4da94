/** Command lines: what a subcommand accepts, parsed strictly, with help made from the same table. */
// @ts-types="./parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { suggest, UserError } from "../errors.ts";

/** One option of a subcommand. */
export interface Option {
  readonly kind: "text" | "list" | "flag" | "count";
  /** what stands for the value in the help, such as `DIR` */
  readonly value?: string;
  readonly help: string;
  /** the value is a path, from where the user stands */
  readonly path?: true;
  /** words that may stand for a path and are none: `bytes` */
  readonly words?: readonly string[];
}

/** Options by their name without dashes. */
export type Options = Readonly<Record<string, Option>>;

/** Values of options, typed by their kind; absent where not given. */
export type Values<T extends Options> = {
  readonly [Name in keyof T]?: T[Name]["kind"] extends "flag" ? true
    : T[Name]["kind"] extends "list" ? readonly string[]
    : T[Name]["kind"] extends "count" ? number
    : string;
};

/** A parsed command line. */
export interface CommandLine<T extends Options> {
  readonly values: Values<T>;
  readonly positionals: readonly string[];
}

/** A list option takes all words up to the next option: `--upstream a.txt b.txt`. */
function spreadLists(args: readonly string[], options: Options): string[] {
  const spread: string[] = [];
  let list: string | undefined;
  for (const word of args) {
    if (word.startsWith("--")) {
      const name = word.slice(2);
      list = options[name]?.kind === "list" ? word : undefined;
      if (list === undefined) spread.push(word);
    } else if (list === undefined) spread.push(word);
    else spread.push(list, word);
  }
  return spread;
}

/**
 * Parses a subcommand's arguments.
 *
 * @param maxPositionals words without an option that the subcommand takes
 * @throws {UserError} on an unknown option, with the nearest match, a missing or repeated value, or a surplus word
 */
export function parseCommandLine<T extends Options>(
  args: readonly string[],
  options: T,
  maxPositionals = 0,
): CommandLine<T> {
  const names = Object.keys(options);
  const flags = names.filter((name) => options[name]?.kind === "flag");
  const parsed = parseArgs(spreadLists(args, options), {
    boolean: flags,
    string: names.filter((name) => !flags.includes(name)),
    collect: names.filter((name) => !flags.includes(name)),
    unknown: (argument, key) => {
      if (key === undefined) return true;
      throw new UserError(
        "UNKNOWN_OPTION",
        `Unknown option "${argument.replace(/=.*$/, "")}"`,
        suggest(`--${key}`, names.map((name) => `--${name}`)),
      );
    },
  });
  const positionals = parsed._.map(String);
  const surplus = positionals[maxPositionals];
  if (surplus !== undefined) {
    throw new UserError("UNKNOWN_ARGUMENT", `Unexpected argument "${surplus}"`, "see --help for what is accepted");
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = readValue(name, option, parsed[name]);
    if (value !== undefined) values[name] = value;
  }
  return { values: values as Values<T>, positionals };
}

function readValue(name: string, option: Option, found: unknown): unknown {
  if (option.kind === "flag") return found === true ? true : undefined;
  const given = (found as string[] | undefined) ?? [];
  if (given.length === 0) return undefined;
  if (given.includes("")) {
    throw new UserError(
      "MISSING_VALUE",
      `Option "--${name}" has no value`,
      `give --${name} ${option.value ?? "VALUE"}`,
    );
  }
  if (option.kind === "list") return given;
  if (given.length > 1) {
    throw new UserError("REPEATED_OPTION", `Option "--${name}" is given ${given.length} times`, "give it once");
  }
  const [text = ""] = given;
  if (option.kind === "text") return text;
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < 1) {
    throw new UserError("BAD_NUMBER", `Option "--${name}" is "${text}"`, "expected a whole number from 1");
  }
  return number;
}

/** The options as lines of a help text. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, { value, help }]): [string, string] => [
    `--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
