/** A comparison of two manifests as Markdown, for a review or a job's summary. What others wrote stands in code spans. */
import type { ManifestDiff } from "../../retrain/diff.ts";
import { codeSpan } from "../../text/markdown.ts";

/** Differing runs, and differing facts of environments, that are listed. */
const MAX_LISTED = 20;

/** Sections under a heading of the third level. */
export function diffMarkdown({ manifests, differences, runs, environments }: ManifestDiff): string {
  const differing = environments.filter(({ a, b }) => a !== b);
  const sections = [
    [
      differences.length === 0
        ? `### Same bits: all ${runs} runs, their journals, states and curves`
        : `### ${differences.length} of ${runs} runs differ`,
    ],
    ([["A", manifests.a], ["B", manifests.b]] as const).map(([name, { path, sha256 }]) =>
      `- ${name}: ${codeSpan(path, 800)}, SHA-256 \`${sha256}\``
    ),
    listed(
      "The first difference of each run, in the order of the plan:",
      differences.map(({ run, step, field, a, b, lastCommonState }) => {
        const common = lastCommonState === undefined ? "none" : `step ${lastCommonState}`;
        return `${codeSpan(run)}, step ${step}: ${field}: A ${codeSpan(a)}, B ${
          codeSpan(b)
        }; last state in common: ${common}`;
      }),
    ),
    listed(
      "Where the environments differ, as their makers describe them:",
      differing.map(({ name, a, b }) => `${codeSpan(name)}: A ${codeSpan(a)}, B ${codeSpan(b)}`),
    ),
  ];
  return sections.filter(({ length }) => length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function listed(title: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - MAX_LISTED;
  return [
    title,
    "",
    ...rows.slice(0, MAX_LISTED).map((row) => `- ${row}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
}
