/** What reviewers attest, for a terminal: when, what they retrained, and what they leave open themselves. */
import { printable } from "../../files/safe_name.ts";
import type { Review } from "./verification_report.ts";

/** Longest caveat that is shown, in characters. */
const MAX_CAVEAT = 800;

/** Lines about the attestations that count; none if none was asked for. Those that do not count, their step names. */
export function formatReviews(reviews: readonly Review[] = []): string[] {
  const counted = reviews.filter(({ status }) => status === "counts");
  return counted.flatMap(({ reviewer, detail, attestedAt = "", caveats = [] }) => [
    `${printable(reviewer)} attests, at ${printable(attestedAt)}: ${printable(detail, 300)}${
      caveats.length === 0 ? "" : "; and leaves open:"
    }`,
    ...caveats.map((caveat) => `  - ${printable(caveat, MAX_CAVEAT)}`),
  ]);
}
