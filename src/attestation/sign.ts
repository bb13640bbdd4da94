/** Signing what a verification found, wherever the manifest lies and the attestation goes. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { UserError } from "../errors.ts";
import { readEnvelope, signEnvelope } from "../manifest/format/dsse.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import { isSignedBy } from "../manifest/verify/verify_signature.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { buildAttestation, type VerificationFindings } from "./build.ts";

/** Who attests, and when. */
export interface SignOptions {
  /** the reviewer's */
  readonly key: SigningKey;
  /** threads that retrained, if anything was retrained */
  readonly threads?: number;
  /** the reviewer's clock, in milliseconds since 1970; the platform's if absent */
  readonly now?: number;
}

/**
 * Refuses a key that signed the manifest itself: who made it is no reviewer of it.
 *
 * @param bytes of the manifest
 * @throws {UserError} `OWN_MANIFEST`
 */
export async function requireReviewer(bytes: Uint8Array, key: SigningKey): Promise<void> {
  if (!await signed(bytes, key)) return;
  throw new UserError(
    "OWN_MANIFEST",
    `Key ${key.keyId} signed the manifest itself`,
    'a reviewer needs another key: make one with "deno task keygen --out reviewer.pem"',
  );
}

/** Whether a key signed an envelope, or is said to; what is no envelope nobody signed, as its verification will say. */
async function signed(bytes: Uint8Array, key: SigningKey): Promise<boolean> {
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch {
    return false;
  }
  const envelope = readEnvelope(value);
  return typeof envelope === "object" && await isSignedBy(envelope, key);
}

/**
 * The attestation of a verification as the text of its file.
 *
 * @param name of the manifest's file
 * @throws {UserError} as {@linkcode buildAttestation}
 */
export async function signAttestation(
  name: string,
  findings: VerificationFindings,
  { key, threads = 0, now }: SignOptions,
): Promise<string> {
  const attestation = buildAttestation(name, findings, threads, now);
  return await signEnvelope(new TextEncoder().encode(canonicalJson(attestation)), key);
}
