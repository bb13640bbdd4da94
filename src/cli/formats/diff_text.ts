/** A comparison of two manifests for a terminal. */
import { printable } from "../../files/safe_name.ts";
import type { ManifestDiff } from "../../retrain/diff.ts";

/** Differing runs that are listed after the first. */
const MAX_LISTED = 20;

/** The outcome in lines: the first difference at length, the others by step and field. */
export function diffText({ manifests, differences, runs, environments }: ManifestDiff): string {
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
