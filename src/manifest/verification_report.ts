/** What a verification found, step by step. Web-standard APIs only. */
import { EXIT } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import type { Statement } from "./predicate.ts";

/** The steps of a verification, in their order. */
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
  "replay",
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
  /** the statement, if signature, types and schema are good */
  readonly statement?: Statement;
}

/** Steps that may be left out without making the verdict "could not check": they are caveats then. */
const OPTIONAL: ReadonlySet<StepName> = new Set(["signer", "replay"]);

/** Whether a step that the verdict needs was not checked. */
function isOpen({ name, status }: VerificationStep, asked: readonly StepName[] = []): boolean {
  return status === "not checked" && (!OPTIONAL.has(name) || asked.includes(name));
}

/** The verdict that follows from steps: failed if any failed, else unable if any that is needed was not checked. */
export function concludeVerification(
  steps: readonly VerificationStep[],
  rest: Pick<VerificationReport, "caveats" | "signers" | "asked" | "statement">,
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
    ...rows,
    "",
    verdictLine(report),
    ...(caveats.length > 0 ? ["This does not say:", ...caveats] : []),
    "",
  ].join("\n");
}

function verdictLine({ verdict, steps, signers, asked }: VerificationReport): string {
  const names = (status: VerificationStep["status"]) =>
    steps.filter((step) => step.status === status).map(({ name }) => name).join(", ");
  switch (verdict) {
    case "verified":
      return `Verified: what the manifest says is what ${
        signers.map(({ keyId, trustedAs }) => trustedAs ?? `key ${keyId}`).join(" and ")
      } signed, and its artefacts and claims bear it out`;
    case "failed":
      return `Failed: ${names("failed")}`;
    case "could not check":
      return `Could not check: ${steps.filter((step) => isOpen(step, asked)).map(({ name }) => name).join(", ")}`;
  }
}
