/** `deno task timestamp`: requests for an authority's timestamps, and what came of them. */
import { EXIT } from "../../errors.ts";
import { filesWithin } from "../../files/files_within.ts";
import { loadPaper } from "../../reproduce/paper_file.ts";
import { print, printJson } from "../../terminal.ts";
import { stampFolder } from "../../timestamp/stamp_folder.ts";
import type { Command } from "../command.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "../options/experiment_options.ts";
import { rootsFromOptions, TIMESTAMP_OPTIONS } from "../options/timestamp_options.ts";
import { parsePaths } from "../typed_paths.ts";
import { requireWritePermission } from "../write_permission.ts";
import { formatStamped, namedRules } from "../timestamp_lines.ts";
import { outputFolder } from "./status.ts";

const OPTIONS = {
  ...TIMESTAMP_OPTIONS,
  ...EXPERIMENT_OPTIONS,
  json: { kind: "flag", help: "print what is due, or the timestamp, as JSON" },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const output = outputFolder(positionals);
  await requireWritePermission(output);
  const roots = await rootsFromOptions(values);
  const rules = namedRules((await loadPaper(foldersFromOptions(values))).text);
  const stamped = await stampFolder(output, rules, filesWithin(output), roots);
  if (values.json === true) printJson(stamped);
  else print(formatStamped(stamped));
  return stamped.timestamp === undefined ? EXIT.waiting : EXIT.ok;
}

/** `timestamp` */
export const timestamp: Command = {
  summary: "asks for a timestamp of plan and rules before training, and of the manifest afterwards (RFC 3161)",
  usage: "DIR [options]",
  options: OPTIONS,
  run,
};
