/** What a reviewer attests: an in-toto statement with the predicate "Simple Verification Result" about one manifest. */
import type { Digest } from "../digest/sha256.ts";
import { ATTESTATION_FOLDER } from "../manifest/companions.ts";
import type { Environment, STATEMENT_TYPE } from "../manifest/predicate.ts";
import { type StepName, VERIFICATION_STEPS, type VerificationStep } from "../manifest/verification_report.ts";
import type { ReplaySeed } from "../replay/choice.ts";

/** in-toto's type of a simple verification result (github.com/in-toto/attestation, spec/predicates/svr.md). */
export const SVR_PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.1";
/**
 * Names of rewarm's verification and of the form of the member `rewarm`, one a version, the newest last; another one once
 * steps or members change. Names: nothing is fetched from them.
 */
export const VERIFIER_IDS = ["https://rewarm.dev/verifier/v1", "https://rewarm.dev/verifier/v2"] as const;
/** One of them. */
export type VerifierId = typeof VERIFIER_IDS[number];
/** That of this version. */
export const VERIFIER_ID: VerifierId = "https://rewarm.dev/verifier/v2";

/** The steps that each verification makes, in their order. The first one did not look at the page. */
export const VERIFIER_STEPS: Readonly<Record<VerifierId, readonly StepName[]>> = {
  "https://rewarm.dev/verifier/v1": VERIFICATION_STEPS.filter((name) => name !== "report"),
  "https://rewarm.dev/verifier/v2": VERIFICATION_STEPS,
};

/** What the reviewer trained again, all with the same bits. */
export type AttestedReplay =
  & {
    /** segments of the whole manifest */
    readonly total: number;
    /** what the choice is worth, in whole sentences */
    readonly worth: string;
  }
  & (
    /** every segment */
    | { readonly pieces: "all" }
    /** segments drawn with randomness of the reviewer's own, or by a seed that was given */
    | { readonly pieces: "drawn" | "repeated"; readonly seed: ReplaySeed; readonly segments: readonly string[] }
    /** pieces named one by one */
    | { readonly pieces: "named"; readonly segments: readonly string[] }
  );

/** What rewarm says beyond the members of a simple verification result. */
export interface VerificationDetails {
  /** what verified */
  readonly tool: { readonly name: "rewarm"; readonly version: string };
  /** where, as that process saw it; its threads are those of the replay, 0 without one */
  readonly environment: Environment;
  /** every step with its outcome */
  readonly steps: readonly VerificationStep[];
  /** absent if nothing was trained again */
  readonly replay?: AttestedReplay;
  /** what the outcome leaves open, in whole sentences */
  readonly caveats: readonly string[];
}

/** The payload of an attestation. */
export interface Attestation {
  /** in-toto's name and version of statements */
  readonly _type: typeof STATEMENT_TYPE;
  /** the manifest: the name of its file, and the digest of its bytes, which alone decides */
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: Digest } }[];
  /** which form the predicate has */
  readonly predicateType: typeof SVR_PREDICATE_TYPE;
  /** the result */
  readonly predicate: {
    /** which verification was made; who made it, the signature says */
    readonly verifier: { readonly id: VerifierId };
    /** ISO 8601 in UTC, as the reviewer says */
    readonly timeCreated: string;
    /** what was verified, for those who know no details; see `propertiesOf` */
    readonly properties: readonly string[];
    /** details: an extension, as in-toto allows them */
    readonly rewarm: VerificationDetails;
  };
}

/** The manifest's companion that holds the attestation of a key, relative to the manifest's folder. */
export function attestationName(keyId: Digest): string {
  return `${ATTESTATION_FOLDER}/${keyId}.dsse.json`;
}

/** The properties that follow from details: one for the verdict, one for each good step, one for a whole replay. */
export function propertiesOf(steps: readonly VerificationStep[], replay: AttestedReplay | undefined): string[] {
  const good = steps.filter(({ status }) => status === "ok").map(({ name }) => `REWARM_${name.toUpperCase()}`);
  return ["REWARM_VERIFIED", ...good, ...(replay?.pieces === "all" ? ["REWARM_REPLAY_ALL"] : [])];
}
