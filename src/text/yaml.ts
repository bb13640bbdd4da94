/**
 * From the text of a YAML file to a checked value. Only plain data passes: no anchors, aliases or merge keys, no
 * duplicate keys, no NaN or infinity, nothing the schema does not name.
 */
// @ts-types="./std_yaml.d.ts"
import { parse, stringify, YamlSyntaxError } from "@std/yaml";
import { z } from "zod";
import { UNUSABLE_NAME } from "../digest/record_schema.ts";
import { suggest, UserError } from "../errors.ts";

/** Largest YAML file that is read, in UTF-16 code units. */
export const MAX_YAML_LENGTH = 1_000_000;

/** Problems of one file that are told: nobody reads more, and a hostile file has millions. */
const MAX_PROBLEMS = 20;

type Path = readonly PropertyKey[];

/**
 * Parses one YAML document of plain data, by YAML's core schema.
 *
 * @param fileName how messages name the file
 * @returns null, booleans, finite numbers, strings, arrays and objects
 * @throws {UserError} `YAML_TOO_LARGE`, `YAML_ALIAS`, `YAML_SYNTAX` (duplicate keys too) or `YAML_NUMBER`
 */
export function parseYaml(text: string, fileName: string): unknown {
  if (text.length > MAX_YAML_LENGTH) {
    throw new UserError(
      "YAML_TOO_LARGE",
      `"${fileName}" has ${text.length} characters, but at most ${MAX_YAML_LENGTH} are read`,
      "split it or name the right file",
    );
  }
  refuseAliases(text, fileName);
  let value: unknown;
  try {
    value = parse(text, { schema: "core" });
  } catch (error) {
    throw syntaxError(error, fileName);
  }
  refuseOddValues(value, [], fileName);
  return value;
}

/** Plain data as a YAML document that {@linkcode parseYaml} reads back. The same value gives the same text. */
export function formatYaml(value: unknown): string {
  return stringify(value, { schema: "core", lineWidth: 120, useAnchors: false });
}

/**
 * Refuses anchors and aliases before any is expanded: a few lines of nested aliases can stand for billions of
 * values. Once every `&` reads `*` the document defines no anchor, so that the parser itself stumbles over the first
 * anchor or alias, and only over those, since both characters are ordinary inside scalars and comments.
 */
function refuseAliases(text: string, fileName: string): void {
  try {
    parse(text.replaceAll("&", "*"), { schema: "core", allowDuplicateKeys: true });
  } catch (error) {
    if (!(error instanceof YamlSyntaxError) || !error.message.includes("Cannot read alias")) return;
    throw new UserError(
      "YAML_ALIAS",
      `"${fileName}" uses a YAML anchor or alias ("&" or "*") in line ${error.line}`,
      "write the value out, or quote it if it is text",
      { cause: error },
    );
  }
}

function syntaxError(error: unknown, fileName: string): unknown {
  if (error instanceof RangeError) {
    return new UserError("YAML_SYNTAX", `"${fileName}" is nested too deeply to be read`, "flatten it", {
      cause: error,
    });
  }
  if (!(error instanceof YamlSyntaxError)) return error;
  const reason = error.message.split("\n")[0]?.replace(/ at line \d+.*$/, "") ?? "";
  return new UserError(
    "YAML_SYNTAX",
    `"${fileName}" is not valid YAML in line ${error.line}, column ${error.column}: ${reason}`,
    undefined,
    { cause: error },
  );
}

function refuseOddValues(value: unknown, path: Path, fileName: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new UserError(
      "YAML_NUMBER",
      `"${fileName}": ${describePath(path)} is ${value}, expected a finite number`,
    );
  }
  if (value === null || typeof value !== "object") return;
  for (const [key, member] of Object.entries(value)) {
    if (key === "<<") {
      throw new UserError(
        "YAML_ALIAS",
        `"${fileName}": ${describePath(path)} uses a YAML merge key ("<<")`,
        "write the values out",
      );
    }
    refuseOddValues(member, [...path, Array.isArray(value) ? Number(key) : key], fileName);
  }
}

/**
 * Checks a parsed value against a zod schema.
 *
 * @returns what the schema makes of the value: defaults filled in
 * @throws {UserError} `INVALID_FIELD` with a line for each problem: file, path, what was found, what was expected
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, fileName: string): T {
  const result = schema.safeParse(value);
  if (result.success) {
    const unread = findUnusableName(value);
    if (unread === undefined) return result.data;
    throw new UserError("INVALID_FIELD", `"${fileName}": unknown key ${describePath(unread)}`, "choose another name");
  }
  const { issues } = result.error;
  const problems = issues.slice(0, MAX_PROBLEMS).flatMap((issue) => describeIssue(issue, schema, value));
  const more = issues.length - MAX_PROBLEMS;
  throw new UserError(
    "INVALID_FIELD",
    [...problems, ...(more > 0 ? [`and ${more} more`] : [])].map((problem) => `"${fileName}": ${problem}`).join("\n"),
    undefined,
    { cause: result.error },
  );
}

/** Path of a key `__proto__`: where names are free, zod leaves it out without a word. */
function findUnusableName(value: unknown, path: Path = []): Path | undefined {
  if (value === null || typeof value !== "object") return undefined;
  if (Object.hasOwn(value, UNUSABLE_NAME)) return [...path, UNUSABLE_NAME];
  for (const [key, member] of Object.entries(value)) {
    if (member === null || typeof member !== "object") continue;
    const found = findUnusableName(member, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.core.$ZodType, root: unknown): string[] {
  const where = describePath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const { object, union } = schemaAt(schema, issue.path, root);
    const ownWords = issue.message.startsWith("Unrecognized ") ? undefined : issue.message;
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => {
      const isRemoved = object === undefined || union?.options.some((option) => hasKey(option, key));
      const remedy = ownWords ?? (isRemoved ? "remove it" : suggest(key, Object.keys(object.shape)));
      return `unknown key ${describePath([...issue.path, key])}: ${remedy}`;
    });
  }
  if (issue.code === "invalid_key") {
    return [`the key of ${where} is not valid, ${issue.issues.map(expected).join(", ")}`];
  }
  const found = valueAt(root, issue.path);
  if (found === undefined) return [`${where} is missing, ${expected(issue)}`];
  const known = choices(issue);
  if (typeof found === "string" && known.length > 1) return [`${where} is "${found}": ${suggest(found, known)}`];
  return [`${where} is ${describeValue(found)}, ${expected(issue)}`];
}

/** Values that an issue allows, as far as it lists them. */
function choices(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" && "options" in issue ? (issue.options ?? []).map(String) : [];
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "nothing",
};

function expected(issue: z.core.$ZodIssue): string {
  return `expected ${expectation(issue)}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  const known = choices(issue);
  if (known.length > 0) return `${known.length > 1 ? "one of " : ""}${known.map((choice) => `"${choice}"`).join(", ")}`;
  switch (issue.code) {
    case "invalid_type":
      if (!issue.message.startsWith("Invalid ")) return issue.message; // the schema's own words, rather than zod's
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case "too_small":
      return bound(issue.origin, issue.minimum, issue.inclusive === true ? "at least" : "more than");
    case "too_big":
      return bound(issue.origin, issue.maximum, issue.inclusive === true ? "at most" : "less than");
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_format":
      if (!issue.message.startsWith("Invalid ")) return issue.message; // the schema's own words, rather than zod's
      return issue.pattern === undefined ? `text in the form "${issue.format}"` : `text that matches ${issue.pattern}`;
    default:
      return issue.message;
  }
}

function bound(origin: string, limit: number | bigint, relation: string): string {
  if (origin === "number" || origin === "int") return `a number of ${relation} ${limit}`;
  return `${relation} ${limit} ${origin === "string" ? "characters" : "entries"}`;
}

/** The object schema at a path, as far as the schema's form lets it be known, and the union that it is a variant of. */
function schemaAt(
  schema: z.core.$ZodType,
  path: Path,
  root: unknown,
): { readonly object?: z.ZodObject; readonly union?: z.ZodDiscriminatedUnion } {
  let current: unknown = schema;
  for (let depth = 0; depth <= path.length; depth++) {
    while (
      current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodNullable ||
      current instanceof z.ZodReadonly
    ) current = current.unwrap();
    const union = current instanceof z.ZodDiscriminatedUnion ? current : undefined;
    if (union !== undefined) current = variantOf(union, valueAt(root, path.slice(0, depth)));
    if (depth === path.length) {
      return { object: current instanceof z.ZodObject ? current : undefined, union };
    }
    if (current instanceof z.ZodObject) current = current.shape[String(path[depth])];
    else if (current instanceof z.ZodRecord) current = current.valueType;
    else if (current instanceof z.ZodArray) current = current.element;
    else return {};
  }
  return {};
}

/** The member of a union that a value says it is. */
function variantOf({ options, def: { discriminator } }: z.ZodDiscriminatedUnion, value: unknown): unknown {
  const name = valueAt(value, [discriminator]) as z.core.util.Primitive;
  return options.find((option) => option._zod.propValues?.[discriminator]?.has(name));
}

function hasKey(schema: unknown, key: string): boolean {
  return schema instanceof z.ZodObject && Object.hasOwn(schema.shape, key);
}

function valueAt(root: unknown, path: Path): unknown {
  let current = root;
  for (const step of path) {
    if (current === null || typeof current !== "object" || !Object.hasOwn(current, step)) return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return current;
}

/** A path as people write it: `arms["1%"].warmupPercent`, `sources[2]`. */
function describePath(path: Path): string {
  if (path.length === 0) return "the document";
  const text = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[A-Za-z_$][\w$]*$/.test(String(step)) ? `.${String(step)}` : `[${JSON.stringify(String(step))}]`;
  }).join("");
  return text.replace(/^\./, "");
}

function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "a mapping";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
