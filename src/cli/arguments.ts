/** Command lines: what a subcommand accepts, parsed strictly, with help made from the same table. */
import { parseArgs } from "node:util";
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
 * become numbers. A list option takes all words up to the next option: `--upstream a.txt b.txt`;
 * joined by \`=\` it takes one.
 *
 * `parseArgs` of `@std/cli` was refused: it turns words that look like numbers into numbers, and drops a lone dash.
 *
 * @param maxPositionals words without an option that the subcommand takes
 * @throws {UserError} on an unknown option, with the nearest match, a missing or repeated value, or a surplus word
 */
export function parseCommandLine<T extends Options>(
  args: readonly string[],
  options: T,
  maxPositionals = 0,
): CommandLine<T> {
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  let list: string[] | undefined;
  for (const token of tokensOf(args, options)) {
    if (token.kind === "option") {
      const option = optionOf(token.name, token.rawName, options);
      const words = given.get(token.name) ?? [];
      given.set(token.name, words);
      words.push(valueOf(token, option));
      list = option.kind === "list" && option.wordEach !== true && token.inlineValue !== true ? words : undefined;
    } else if (token.kind === "option-terminator") list = undefined;
    else if (list !== undefined) list.push(token.value);
    else positionals.push(token.value);
  }
  const surplus = positionals[maxPositionals];
  if (surplus !== undefined) {
    throw new UserError("UNKNOWN_ARGUMENT", `Unexpected argument "${surplus}"`, "see --help for what is accepted");
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const words = given.get(name);
    if (words !== undefined) values[name] = readValue(name, option, words);
  }
  return { values: values as Values<T>, positionals };
}

function tokensOf(args: readonly string[], options: Options) {
  const types = Object.entries(options).map(([name, { kind }]) =>
    [name, { type: kind === "flag" ? "boolean" : "string", multiple: true }] as const
  );
  // Not strict: unknown options and missing values are found below, with words of our own.
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
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

/** What stands after an option; nothing after a flag. */
function valueOf(
  { rawName, value, inlineValue }: {
    readonly rawName: string;
    readonly value: string | undefined;
    readonly inlineValue: boolean | undefined;
  },
  option: Option,
): string {
  if (option.kind === "flag") {
    if (value === undefined) return "";
    throw new UserError(
      "UNKNOWN_ARGUMENT",
      `Option "${rawName}" takes no value, but "${value}" is given`,
      "leave it out",
    );
  }
  const isOption = inlineValue !== true && value !== undefined && value.length > 1 && value.startsWith("-");
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
