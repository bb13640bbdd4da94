/** `deno task diff`: where two manifests of one plan part. */
import { EXIT, UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { diffManifests, type ManifestDiff } from "../../retrain/diff.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";

const OPTIONS = { json: { kind: "flag", help: "print the outcome as JSON" } } as const;

/** Differing runs that are listed after the first. */
const MAX_LISTED = 20;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [a, b] } = parsePaths(args, OPTIONS, 2);
  if (a === undefined || b === undefined) {
    throw new UserError("MISSING_ARGUMENT", "Two manifests are compared", "give both paths");
  }
  const diff = await diffManifests(a, b);
  print(values.json === true ? JSON.stringify(diff, null, 2) : formatDiff(diff));
  return diff.differences.length === 0 ? EXIT.ok : EXIT.failed;
}

function formatDiff({ manifests, differences, runs, environments }: ManifestDiff): string {
  const sides = [["A", manifests.a], ["B", manifests.b]] as const;
  const head = sides.map(([name, { path, sha256 }]) => `${name}  ${printable(path, 800)}\n   SHA-256 ${sha256}`);
  const [first] = differences;
  const lines = first === undefined ? [`Same bits: all ${runs} runs, their journals, states and curves`] : [
    `${differences.length} of ${runs} runs differ. First of the plan: run "${
      printable(first.run)
    }", step ${first.step}`,
    `  ${first.field}`,
    `    A  ${printable(first.a)}`,
    `    B  ${printable(first.b)}`,
    `  last state in common: ${first.lastCommonState === undefined ? "none" : `step ${first.lastCommonState}`}`,
    ...differences.slice(1, MAX_LISTED + 1).map(({ run, step, field }) =>
      `  also: "${printable(run)}", step ${step}: ${field}`
    ),
    ...(differences.length > MAX_LISTED + 1 ? [`  and ${differences.length - MAX_LISTED - 1} more`] : []),
  ];
  const rows = environments.map(({ name, a, b }) => {
    const values = a === b ? printable(a) : `A ${printable(a)}\n    ${" ".repeat(26)}B ${printable(b)}`;
    return `  ${a === b ? " " : "*"} ${printable(name).padEnd(25)} ${values}`;
  });
  return [...head, "", ...lines, "", "Environments, as their makers describe them (* differ):", ...rows].join("\n");
}

/** `diff` */
export const diff: Command = {
  summary: "names the first step at which two manifests of one plan differ, and what differs",
  usage: "MANIFEST MANIFEST",
  options: OPTIONS,
  run,
};
