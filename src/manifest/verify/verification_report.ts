/** What a verification found, step by step. Web-standard APIs only. */
import type { Digest } from "../../digest/sha256.ts";
import { EXIT } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { formatReviews } from "./format_reviews.ts";
import type { Statement } from "../format/predicate.ts";

/**
 * The steps of a verification, in their order. An attestation lists them by words of its own (`signed_words.ts`), so
 * that another list here needs another entry of `VERIFIERS`.
 */
export const VERIFICATION_STEPS = [
  "size",
  "envelope",
  "signature",
  "signer",
  "type",
  "schema",
  "subjects",
  "consistency",
  "artefacts",
  "plan",
  "journals",
  "curves",
  "claims",
  "report",
  "timestamps",
  "attestations",
  "retrain",
] as const;

const MAX_DETAIL = 800;

/** Name of a step. */
export type StepName = typeof VERIFICATION_STEPS[number];

/** What came of a step. */
export interface StepOutcome {
  /** `not checked` where something needed was not at hand */
  readonly status: "ok" | "failed" | "not checked";
  /** one sentence without final stop: what was checked, or what is wrong, or why it was not checked */
  readonly detail: string;
}

/** A step with its outcome. */
export interface VerificationStep extends StepOutcome {
  /** which check */
  readonly name: StepName;
}

/** Who signed, and whether that key was among those the caller trusts. */
export interface Signer {
  /** SHA-256 of the public key (SPKI) */
  readonly keyId: string;
  /** the caller's name for the key; absent if its owner was not checked */
  readonly trustedAs?: string;
}

/** A reviewer's attestation, or why it does not count. */
export interface Review {
  /** how the caller calls the reviewer */
  readonly reviewer: string;
  /** SHA-256 of the reviewer's public key (SPKI) */
  readonly keyId: Digest;
  /** `counts` if it meets every demand; `missing` if there is none */
  readonly status: "counts" | "missing" | "refused" | "unreadable";
  /** what was attested, or why it does not count; without final stop */
  readonly detail: string;
  /** when, as the reviewer says: ISO 8601 in UTC; absent if the attestation could not be read */
  readonly attestedAt?: string;
  /** what the reviewer leaves open, in the reviewer's whole sentences; absent likewise */
  readonly caveats?: readonly string[];
}

/** The outcome: `verified` says no more than what its steps and caveats say. */
export interface VerificationReport {
  /** failed if any step failed, "could not check" if a needed one was not made */
  readonly verdict: "verified" | "failed" | "could not check";
  /** 0 verified, 1 failed, 2 could not check */
  readonly exitCode: 0 | 1 | 2;
  /** all of them, in their order */
  readonly steps: readonly VerificationStep[];
  /** what a verdict "verified" leaves open, in whole sentences */
  readonly caveats: readonly string[];
  /** keys whose signatures are good */
  readonly signers: readonly Signer[];
  /** steps that may be left out but were asked for: not checked, they make the verdict "could not check" */
  readonly asked?: readonly StepName[];
  /** whole path of the manifest that was looked at, or of the bundle that it is in; absent if it was not a file */
  readonly path?: string;
  /** SHA-256 of the manifest's bytes, unless they were too many or could not be read */
  readonly manifestDigest?: Digest;
  /** of every reviewer whose attestation was demanded */
  readonly reviews?: readonly Review[];
  /** the statement, if signature, types and schema are good */
  readonly statement?: Statement;
}

/** Steps that may be left out without making the verdict "could not check". */
export const OPTIONAL_STEPS: ReadonlySet<StepName> = new Set([
  "signer",
  "report",
  "timestamps",
  "attestations",
  "retrain",
]);

/** Whether a step that the verdict needs was not checked. */
export function isOpen({ name, status }: VerificationStep, asked: readonly StepName[] = []): boolean {
  return status === "not checked" && (!OPTIONAL_STEPS.has(name) || asked.includes(name));
}

/** The verdict that follows from steps: failed if any failed, else unable if any that is needed was not checked. */
export function concludeVerification(
  steps: readonly VerificationStep[],
  rest: Omit<VerificationReport, "verdict" | "exitCode" | "steps">,
): VerificationReport {
  const done = new Map(steps.map((step) => [step.name, step]));
  const complete = VERIFICATION_STEPS.map((name): VerificationStep =>
    done.get(name) ?? { name, status: "not checked", detail: "an earlier step stopped the verification" }
  );
  const failed = complete.some(({ status }) => status === "failed");
  const open = complete.some((step) => isOpen(step, rest.asked));
  const verdict = failed ? "failed" : open ? "could not check" : "verified";
  const exitCode = failed ? EXIT.failed : open ? EXIT.unable : EXIT.ok;
  return { verdict, exitCode, steps: complete, ...rest };
}

const MARKS = { ok: "ok", failed: "FAILED", "not checked": "not checked" } as const;

/** The report for a terminal, one line a step. */
export function formatVerification(report: VerificationReport): string {
  const nameWidth = Math.max(...VERIFICATION_STEPS.map((name) => name.length));
  const markWidth = Math.max(...Object.values(MARKS).map((mark) => mark.length));
  const rows = report.steps.map(({ name, status, detail }) =>
    `  ${name.padEnd(nameWidth)}  ${MARKS[status].padEnd(markWidth)}  ${printable(detail, MAX_DETAIL)}`
  );
  const caveats = report.verdict === "verified"
    ? report.caveats.map((caveat) => `  - ${printable(caveat, MAX_DETAIL)}`)
    : [];
  return [
    ...lookedAt(report),
    ...rows,
    "",
    verdictLine(report),
    ...formatReviews(report.reviews),
    ...(caveats.length > 0 ? ["This does not say:", ...caveats] : []),
    "",
  ].join("\n");
}

/** What the report is about, so that nobody takes it for one about another manifest. */
export function lookedAt({ path, manifestDigest }: Pick<VerificationReport, "path" | "manifestDigest">): string[] {
  return [
    ...(path === undefined ? [] : [`Manifest  ${printable(path, MAX_DETAIL)}`]),
    ...(manifestDigest === undefined ? [] : [`SHA-256   ${manifestDigest}`]),
    "",
  ].slice(path === undefined && manifestDigest === undefined ? 1 : 0);
}

function verdictLine({ verdict, steps, signers, asked, reviews = [] }: VerificationReport): string {
  const names = (status: VerificationStep["status"]) =>
    steps.filter((step) => step.status === status).map(({ name }) => name).join(", ");
  switch (verdict) {
    case "verified": {
      const makers = signers.map(({ keyId, trustedAs }) => trustedAs ?? `key ${keyId}`);
      const reviewers = reviews.filter(({ status }) => status === "counts").map(({ reviewer }) => printable(reviewer));
      const attested = reviewers.length === 0 ? "" : `; attested by ${reviewers.join(" and ")}`;
      return `Verified: what the manifest says is what ${
        makers.join(" and ")
      } signed, and its artefacts and claims bear it out${attested}`;
    }
    case "failed":
      return `Failed: ${names("failed")}`;
    case "could not check":
      return `Could not check: ${steps.filter((step) => isOpen(step, asked)).map(({ name }) => name).join(", ")}`;
  }
}
