/** Command lines: what a subcommand accepts, parsed strictly, with help made from the same table. */
// @ts-types="./parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { suggest, UserError } from "../errors.ts";
import type { Option, Options, Values } from "../options.ts";

export type { Option, Options, Values } from "../options.ts";

/** A parsed command line. */
export interface CommandLine<T extends Options> {
  readonly values: Values<T>;
  readonly positionals: readonly string[];
}

/**
 * Parses a subcommand's arguments. Every word stays the text that was typed; only values of options of the kind `count`
 * become numbers. A list option takes all words up to the next option: `--upstream a.txt b.txt`; joined by `=` it takes
 * one.
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
  const isFlag = (name: string) => options[name]?.kind === "flag";
  const parsed = parseArgs(spelledOut(args, options), {
    boolean: names.filter(isFlag),
    string: [...names.filter((name) => !isFlag(name)), "_"],
    collect: names,
  });
  const positionals = parsed._.map(String);
  const surplus = positionals[maxPositionals];
  if (surplus !== undefined) {
    throw new UserError("UNKNOWN_ARGUMENT", `Unexpected argument "${surplus}"`, "see --help for what is accepted");
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const given = (parsed[name] as readonly (string | boolean)[] | undefined ?? []).map(String);
    if (given.length > 0) values[name] = readValue(name, option, given);
  }
  return { values: values as Values<T>, positionals };
}

/**
 * The same command line with each value joined to its option, and all other words behind `--`: `parseArgs` would take a
 * word after a flag for its value, and drop a lone dash.
 */
function spelledOut(args: readonly string[], options: Options): string[] {
  const spelled: string[] = [];
  const positionals: string[] = [];
  let list: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--") {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (list === undefined) positionals.push(word);
      else spelled.push(`--${list}=${word}`);
      continue;
    }
    const [, rawName = word, inline] = /^([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const name = rawName.replace(/^--?/, "");
    const option = optionOf(name, rawName, options);
    if (option.kind === "flag") requireNoValue(rawName, inline);
    const takesNext = option.kind !== "flag" && inline === undefined;
    const value = takesNext ? args[++i] : inline;
    spelled.push(option.kind === "flag" ? `--${name}` : `--${name}=${valueOf(rawName, value, takesNext, option)}`);
    list = option.kind === "list" && option.wordEach !== true && takesNext ? name : undefined;
  }
  return [...spelled, "--", ...positionals];
}

function optionOf(name: string, rawName: string, options: Options): Option {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option !== undefined && rawName.startsWith("--")) return option;
  const renamed = Object.entries(options).find(([, { formerly = [] }]) => formerly.includes(name));
  if (renamed !== undefined) {
    throw new UserError("UNKNOWN_OPTION", `Option "${rawName}" has another name now`, `give --${renamed[0]}`);
  }
  throw new UserError(
    "UNKNOWN_OPTION",
    `Unknown option "${rawName}"`,
    suggest(`--${name}`, Object.keys(options).map((known) => `--${known}`)),
  );
}

function requireNoValue(rawName: string, value: string | undefined): void {
  if (value === undefined) return;
  throw new UserError(
    "UNKNOWN_ARGUMENT",
    `Option "${rawName}" takes no value, but "${value}" is given`,
    "leave it out",
  );
}

/** @param isNext whether the value is the word after the option, which may be another option */
function valueOf(rawName: string, value: string | undefined, isNext: boolean, option: Option): string {
  const isOption = isNext && value !== undefined && value.length > 1 && value.startsWith("-");
  if (value !== undefined && !isOption && (value !== "" || option.mayBeEmpty === true)) return value;
  if (value === "") {
    throw new UserError(
      "MISSING_VALUE",
      `Option "${rawName}" has no value but an empty text`,
      `give ${rawName} ${option.value ?? "VALUE"}, or leave it out; a variable of the shell may not be set`,
    );
  }
  throw new UserError(
    "MISSING_VALUE",
    `Option "${rawName}" has no value`,
    `give ${rawName} ${option.value ?? "VALUE"}${isOption ? `, or "${rawName}=${value}" if that is the value` : ""}`,
  );
}

function readValue(name: string, option: Option, given: readonly string[]): unknown {
  if (option.kind === "flag") return true;
  if (option.kind === "list") {
    if (given.every((word) => word !== "")) return given;
    throw new UserError("MISSING_VALUE", `Option "--${name}" has an empty value`, "leave it out");
  }
  if (given.length > 1) {
    throw new UserError("REPEATED_OPTION", `Option "--${name}" is given ${given.length} times`, "give it once");
  }
  const [text = ""] = given;
  if (option.kind === "text") return text;
  const number = parseWholeNumber(text);
  if (number === undefined || number < 1) {
    throw new UserError("BAD_NUMBER", `Option "--${name}" is "${text}"`, "expected a whole number from 1");
  }
  return number;
}

/** A whole number in plain digits, such as `0` or `1300`; undefined for any other text, `08` and `1e3` among them. */
export function parseWholeNumber(text: string): number | undefined {
  const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A number in decimal, such as `0.9`, `2e6` or `1e-3`; undefined for any other text, `0x10` and ` 5` among them. */
export function parseDecimal(text: string): number | undefined {
  const number = /^(0|[1-9]\d*)(\.\d+)?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : undefined;
  return Number.isFinite(number) ? number : undefined;
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
