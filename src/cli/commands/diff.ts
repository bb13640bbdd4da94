/** `deno task diff`: where two manifests of one plan part. */
import { EXIT, UserError } from "../../errors.ts";
import { diffManifests, type ManifestDiff } from "../../retrain/diff.ts";
import { diffJson } from "../formats/diff_json.ts";
import { diffMarkdown } from "../formats/diff_markdown.ts";
import { diffText } from "../formats/diff_text.ts";
import { FORMAT_OPTIONS, type OutputFormat, outputFormat } from "../formats/output_format.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";

const OPTIONS = FORMAT_OPTIONS;

const WRITERS: Readonly<Record<OutputFormat, (diff: ManifestDiff) => string>> = {
  text: diffText,
  json: diffJson,
  markdown: diffMarkdown,
};

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [a, b] } = parsePaths(args, OPTIONS, 2);
  const write = WRITERS[outputFormat(values)];
  if (a === undefined || b === undefined) {
    throw new UserError("MISSING_ARGUMENT", "Two manifests are compared", "give both paths");
  }
  const diff = await diffManifests(a, b);
  print(write(diff));
  return diff.differences.length === 0 ? EXIT.ok : EXIT.failed;
}

/** `diff` */
export const diff: Command = {
  summary: "names the first step at which two manifests of one plan differ, and what differs",
  usage: "MANIFEST MANIFEST",
  options: OPTIONS,
  run,
};
