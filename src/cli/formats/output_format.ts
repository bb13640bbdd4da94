/** In which form a command prints what it found. */
import { suggest, UserError } from "../../errors.ts";
import type { Values } from "../arguments.ts";

const FORMATS = ["text", "json", "markdown"] as const;

/** `text` for a terminal, `json` for programs, by a schema in `schemas/`, `markdown` for a review or a job's summary. */
export type OutputFormat = typeof FORMATS[number];

/** The options that choose it. */
export const FORMAT_OPTIONS = {
  format: { kind: "text", value: FORMATS.join("|"), help: "how the outcome is printed (default: text)" },
  json: { kind: "flag", help: "the same as --format json" },
} as const;

/** @throws {UserError} on a format that there is not, or on two different ones */
export function outputFormat({ format, json }: Values<typeof FORMAT_OPTIONS>): OutputFormat {
  if (format === undefined) return json === true ? "json" : "text";
  const known = FORMATS.find((name) => name === format);
  if (known === undefined) {
    throw new UserError("UNKNOWN_ARGUMENT", `Option "--format" is "${format}"`, suggest(format, FORMATS));
  }
  if (json === true && known !== "json") {
    throw new UserError("TWO_CHOICES", `Both "--json" and "--format ${known}" are given`, "leave one of them out");
  }
  return known;
}
