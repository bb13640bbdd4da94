/** A verification as Markdown, for a review or a job's summary. What others wrote stands in code spans. */
import { isOpen, type VerificationReport, type VerificationStep } from "../../manifest/verify/verification_report.ts";
import { codeSpan } from "../../text/markdown.ts";
import type { Verified } from "../verification.ts";

const MAX_DETAIL = 800;
const detail = (text: string) => codeSpan(text, MAX_DETAIL);

const MARKS = { ok: "ok", failed: "**FAILED**", "not checked": "**not checked**" } as const;

/** Sections under a heading of the third level. */
export function verificationMarkdown({ report, retraining }: Verified): string {
  const { path, manifestDigest, steps, signers, caveats, verdict, reviews = [] } = report;
  const choice = retraining?.choice;
  const counted = reviews.filter(({ status }) => status === "counts");
  const sections = [
    [heading(report)],
    [
      ...(path === undefined ? [] : [`- Manifest: ${detail(path)}`]),
      ...(manifestDigest === undefined ? [] : [`- SHA-256: \`${manifestDigest}\``]),
      ...signers.map(({ keyId, trustedAs }) =>
        trustedAs === undefined
          ? `- Signed by key ${codeSpan(keyId)}; whose it is was not checked`
          : `- Signed by a key that you know, ${detail(trustedAs)}: ${codeSpan(keyId)}`
      ),
      ...(choice === undefined ? [] : [
        `- Retrained: ${retraining?.retrained.length} segments of ${choice.segments.length} chosen and ${choice.total} in all`,
        ...(choice.seed === undefined ? [] : [`- Seed of the choice: ${codeSpan(choice.seed)}`]),
        `- What that is worth: ${detail(choice.worth)}`,
      ]),
    ],
    [
      "**What was checked:**",
      "",
      ...steps.map(({ name, status, detail: text }) => `- ${name}: ${MARKS[status]}: ${detail(text)}`),
    ],
    ...counted.map(({ reviewer, detail: text, attestedAt = "", caveats = [] }) => [
      `${codeSpan(reviewer)} attests, at ${codeSpan(attestedAt)}: ${detail(text)}`,
      ...(caveats.length === 0 ? [] : ["and leaves open:", "", ...caveats.map((caveat) => `- ${detail(caveat)}`)]),
    ]),
    verdict === "verified" && caveats.length > 0
      ? ["**This does not say:**", "", ...caveats.map((caveat) => `- ${detail(caveat)}`)]
      : [],
  ];
  return sections.filter(({ length }) => length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function heading({ verdict, steps, asked }: VerificationReport): string {
  const names = (wanted: (step: VerificationStep) => boolean) =>
    steps.filter(wanted).map(({ name }) => name).join(", ");
  switch (verdict) {
    case "verified":
      return "### Verified";
    case "failed":
      return `### Failed: ${names(({ status }) => status === "failed")}`;
    case "could not check":
      return `### Could not check: ${names((step) => isOpen(step, asked))}`;
  }
}
