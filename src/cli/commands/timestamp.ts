/** `deno task timestamp`: requests for an authority's timestamps, and what came of them. */
import { sha256 } from "../../digest/sha256.ts";
import { EXIT } from "../../errors.ts";
import { filesWithin } from "../../files/files_within.ts";
import { printable } from "../../files/safe_name.ts";
import { shellWord } from "../../launch/shell.ts";
import { loadPaper, PAPER_FILE } from "../../reproduce/paper_file.ts";
import { print, printJson } from "../../terminal.ts";
import { type StampedFolder, stampFolder } from "../../timestamp/stamp_folder.ts";
import type { Command } from "../command.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "../options/experiment_options.ts";
import { rootsFromOptions, TIMESTAMP_OPTIONS } from "../options/timestamp_options.ts";
import { parsePaths } from "../typed_paths.ts";
import { requireWritePermission } from "../write_permission.ts";
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
  const { text } = await loadPaper(foldersFromOptions(values));
  const rules = { name: PAPER_FILE, sha256: sha256(text) };
  const stamped = await stampFolder(output, rules, filesWithin(output), roots);
  if (values.json === true) printJson(stamped);
  else print(formatStamped(stamped));
  return stamped.timestamp === undefined ? EXIT.waiting : EXIT.ok;
}

function formatStamped({ what, sha256, request, response, timestamp }: StampedFolder): string {
  if (timestamp !== undefined) {
    const { time, authority, isTrusted } = timestamp;
    const worth = isTrusted === true
      ? "which leads to a root that you trust"
      : "a root is looked for with --timestamp-roots";
    return `${what} existed by ${time}, says "${printable(authority)}" (${worth})\n  ${response}`;
  }
  return [
    `There is no timestamp of ${what} yet, SHA-256 ${sha256}. The request for it is`,
    `  ${request}`,
    "Send it to an authority that readers of the manifest will trust:",
    `  curl -H "Content-Type: application/timestamp-query" --data-binary @${shellWord(request ?? "")} \\`,
    `    -o ${shellWord(response)} URL`,
    "Then give this command again.",
  ].join("\n");
}

/** `timestamp` */
export const timestamp: Command = {
  summary: "asks for a timestamp of plan and rules before training, and of the manifest afterwards (RFC 3161)",
  usage: "DIR [options]",
  options: OPTIONS,
  run,
};
