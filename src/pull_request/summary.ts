/** What a reader of the pull request sees: a job's summary in Markdown, and annotations. */
import { diffMarkdown } from "../cli/formats/diff_markdown.ts";
import { verificationMarkdown } from "../cli/formats/verification_markdown.ts";
import { codeSpan } from "../text/markdown.ts";
import type { Review } from "./review.ts";
import type { Annotation } from "./workflow_commands.ts";

/** GitHub takes a summary of 1 MiB a step; more, and it shows none. */
const MAX_SUMMARY_BYTES = 900_000;
const MAX_DETAIL = 800;

/** All of a pull request, in one word. */
export type Outcome = "verified" | "failed" | "could not check" | "nothing to check";

/** Failed if any failed, else unable if any could not be checked or was not looked at. */
export function outcomeOf(reviews: readonly Review[], leftOut: readonly string[]): Outcome {
  const verdicts = reviews.map(({ verdict }) => verdict);
  if (verdicts.includes("failed")) return "failed";
  if (verdicts.includes("could not check") || leftOut.length > 0) return "could not check";
  return verdicts.includes("verified") ? "verified" : "nothing to check";
}

/**
 * The job's summary.
 *
 * @param leftOut paths that were not looked at, because there were too many
 */
export function summaryText(reviews: readonly Review[], leftOut: readonly string[]): string {
  const title = `## Manifests of this pull request: ${outcomeOf(reviews, leftOut)}`;
  const rows = [
    ...reviews.map((review) => `- ${codeSpan(review.path, MAX_DETAIL)}: ${verdictText(review)}; ${changeText(review)}`),
    ...(leftOut.length === 0
      ? []
      : [`- **not looked at**: ${leftOut.length} more, from ${codeSpan(leftOut[0] ?? "")} on`]),
  ];
  const parts = [
    title,
    rows.length === 0 ? "No manifest and no bundle is added, changed or removed." : rows.join("\n"),
  ];
  let bytes = size(parts.join("\n\n"));
  for (const [index, review] of reviews.entries()) {
    const section = sectionText(review);
    bytes += size(section) + 2;
    if (bytes > MAX_SUMMARY_BYTES) {
      parts.push(
        `Details of ${reviews.length - index} more manifests are in the job's log: a summary has no room for them.`,
      );
      break;
    }
    parts.push(section);
  }
  return `${parts.join("\n\n")}\n`;
}

function size(text: string): number {
  return new TextEncoder().encode(text).length;
}

function verdictText({ verdict, reason }: Review): string {
  return `**${verdict}**${reason === undefined ? "" : `: ${codeSpan(reason, MAX_DETAIL)}`}`;
}

function changeText({ comparison }: Review): string {
  if (typeof comparison === "string") return `against the base branch: ${codeSpan(comparison, MAX_DETAIL)}`;
  const { differences, runs } = comparison;
  return differences.length === 0
    ? `the same bits as in the base branch, in all ${runs} runs`
    : `${differences.length} of ${runs} runs differ from the base branch`;
}

function sectionText({ path, verified, comparison }: Review): string {
  return [
    `## ${codeSpan(path, MAX_DETAIL)}`,
    ...(verified === undefined ? [] : [verificationMarkdown(verified)]),
    ...(typeof comparison === "string" ? [] : ["A is the base branch, B this pull request.", diffMarkdown(comparison)]),
  ].join("\n\n");
}

/** A remark at each manifest: the verdict, and the steps behind it. */
export function annotationsOf(reviews: readonly Review[], leftOut: readonly string[]): Annotation[] {
  return [
    ...reviews.map(annotationOf),
    ...leftOut.slice(0, 1).map((file): Annotation => ({
      level: "error",
      file,
      message: `Not looked at, as ${leftOut.length - 1} more: a pull request may change fewer manifests`,
    })),
  ];
}

function annotationOf({ path: file, verdict, verified, reason }: Review): Annotation {
  const steps = verified?.report.steps ?? [];
  const named = (status: string) => steps.filter((step) => step.status === status).map(({ name }) => name).join(", ");
  switch (verdict) {
    case "verified":
      return { level: "notice", file, message: `Verified; not checked: ${named("not checked") || "nothing left out"}` };
    case "removed":
      return { level: "warning", file, message: "This manifest is removed" };
    case "failed":
    case "could not check": {
      const first = steps.find(({ status }) => status === (verdict === "failed" ? "failed" : "not checked"));
      const why = first === undefined ? reason : `${first.name}: ${first.detail}`;
      return { level: "error", file, message: `${verdict === "failed" ? "Failed" : "Could not check"}: ${why}` };
    }
  }
}
