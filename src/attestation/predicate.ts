/** What a reviewer attests: an in-toto statement with the predicate "Simple Verification Result" about one manifest. */
import type { Digest } from "../digest/sha256.ts";
import { ATTESTATION_FOLDER } from "../manifest/format/companions.ts";
import type { Environment, Statement, STATEMENT_TYPE } from "../manifest/format/predicate.ts";
import type { RetrainingSeed } from "../retrain/choice.ts";
import type { Share } from "../retrain/share.ts";
import { type AttestedStep, RETRAINED_ALL } from "./signed_words.ts";
import { NEWEST_VERIFIER } from "./verifiers.ts";

/**
 * in-toto's types of a simple verification result (github.com/in-toto/attestation, spec/predicates/svr.md), the newest
 * last. Version 0.2 (2026) demands `verifier.policies`.
 */
export const SVR_PREDICATE_TYPES = [
  "https://in-toto.io/attestation/svr/v0.1",
  "https://in-toto.io/attestation/svr/v0.2",
] as const;
/** The version that new attestations are made in. */
export const SVR_PREDICATE_TYPE = SVR_PREDICATE_TYPES[1];

/** Names the verification that this version makes; nothing is fetched from it. */
export const VERIFIER_ID: string = NEWEST_VERIFIER.id;

/** What properties were verified against, as in-toto describes a resource. */
export interface Policy {
  /** of the file of rules, as the manifest has it */
  readonly name: string;
  readonly digest: { readonly sha256: Digest };
}

/** What the reviewer retrained, all with the same bits. */
export type AttestedRetraining =
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
    | { readonly pieces: "drawn" | "repeated"; readonly seed: RetrainingSeed; readonly segments: readonly string[] }
    /** one share of all segments, which follow from the two numbers */
    | ({ readonly pieces: "share" } & Share)
    /** pieces named one by one */
    | { readonly pieces: "named"; readonly segments: readonly string[] }
  );

/** What rewarm says beyond the members of a simple verification result. */
export interface VerificationDetails {
  /** what verified */
  readonly tool: { readonly name: "rewarm"; readonly version: string };
  /** where, as that process saw it; its threads are those that retrained, 0 if nothing was retrained */
  readonly environment: Environment;
  /** every step with its outcome */
  readonly steps: readonly AttestedStep[];
  /** what was retrained, by the name that it is signed with (`signed_words.ts`); absent if nothing was */
  readonly replay?: AttestedRetraining;
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
  readonly predicateType: typeof SVR_PREDICATE_TYPES[number];
  /** the result */
  readonly predicate: {
    /**
     * which verification was made (`VERIFIERS`); who made it, the signature says. `policies`, absent in version 0.1: the
     * rules by which the claims were judged
     */
    readonly verifier: { readonly id: string; readonly policies?: readonly Policy[] };
    /** ISO 8601 in UTC, as the reviewer says */
    readonly timeCreated: string;
    /** what was verified, for those who know no details; see `propertiesOf` */
    readonly properties: readonly string[];
    /** details: an extension, as in-toto allows them */
    readonly rewarm: VerificationDetails;
  };
}

/**
 * The manifest's companion that holds the attestation of a key, relative to the manifest's folder.
 *
 * @param share whose retraining it attests, where it is one of several: the same key may attest many
 */
export function attestationName(keyId: Digest, share?: Share): string {
  const part = share === undefined ? "" : `.share-${share.share}-of-${share.shares}`;
  return `${ATTESTATION_FOLDER}/${keyId}${part}.dsse.json`;
}

/** The share that an attestation is about, as its name has it. */
export function shareOf(retraining: AttestedRetraining | undefined): Share | undefined {
  if (retraining?.pieces !== "share") return undefined;
  const { share, shares } = retraining;
  return { share, shares };
}

/** The rules that a verification of a manifest judges by: those that the manifest names. */
export function policiesOf({ predicate: { paper } }: Statement): Policy[] {
  return [{ name: paper.name, digest: { sha256: paper.sha256 } }];
}

/** The properties that follow from details: one for the verdict, one for each good step, one if all was retrained. */
export function propertiesOf(steps: readonly AttestedStep[], retraining: AttestedRetraining | undefined): string[] {
  const good = steps.filter(({ status }) => status === "ok").map(({ name }) => `REWARM_${name.toUpperCase()}`);
  return ["REWARM_VERIFIED", ...good, ...(retraining?.pieces === "all" ? [RETRAINED_ALL] : [])];
}
