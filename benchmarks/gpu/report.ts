/**
 * Prints results as Markdown: `report.ts FILE…`. Several files of one machine and commit become one; with `--save` they
 * are kept as `benchmarks/results/DATE-DEVICE.json`.
 */
import { type Options, parseCommandLine } from "../../src/cli/arguments.ts";
import { EXIT, UserError } from "../../src/errors.ts";
import { runProgram } from "../run_program.ts";
import { MFU_FORMULA } from "./peaks.ts";
import { asMarkdown, overview, partTables } from "./report_tables.ts";
import { mergeResults, readResults, type Results, writeResults } from "./results.ts";

const OPTIONS = {
  save: { kind: "flag", help: "keep the results in benchmarks/results" },
} as const satisfies Options;

const RESULTS_FOLDER = new URL("../results/", import.meta.url);

/** A file's name from the day of the first part and the device: `2026-11-23-nvidia-h200.json`. */
export function fileName({ device, parts }: Results): string {
  const day = parts[0]?.startedAt.slice(0, 10) ?? "undated";
  return `${day}-${device.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}.json`;
}

/** All tables of the results, under a line that says what they are of. */
export function asPage(results: Results): string {
  const { device, commit, modified, rehearsal } = results;
  const state = `${commit.slice(0, 12)}${modified ? ", with changes" : ""}`;
  const head = `${rehearsal ? "A rehearsal on the CPU, not a measurement. " : ""}${device}, commit ${state}.`;
  const tables = [overview(results), ...results.parts.flatMap((part) => partTables(part, results))];
  return [head, ...tables.map(asMarkdown), `MFU = ${MFU_FORMULA}.`].join("\n\n");
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, OPTIONS, Infinity);
  if (positionals.length === 0) throw new UserError("NO_RESULTS", "No file is named", "give the files of results");
  const results = mergeResults(await Promise.all(positionals.map(readResults)));
  console.log(asPage(results));
  if (values.save === true) {
    const path = new URL(fileName(results), RESULTS_FOLDER).pathname;
    await writeResults(path, results);
    console.error(`kept as ${path}`);
  }
  return EXIT.ok;
}

if (import.meta.main) {
  await runProgram(main);
}
