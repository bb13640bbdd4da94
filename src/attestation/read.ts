/** Reading an attestation of one key about one manifest out of bytes that nobody vouches for. Web-standard APIs only. */
import { z } from "zod";
import { isDigest, shortDigest } from "../digest/sha256.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { printable } from "../files/safe_name.ts";
import { preAuthenticationEncoding, readEnvelope } from "../manifest/format/dsse.ts";
import { verifyBytes, type VerifyingKey } from "../manifest/keys/keys.ts";
import { schemaFlaws } from "../manifest/statement.ts";
import { readStatementPayload } from "../manifest/format/statement_payload.ts";
import type { AttestedManifest } from "../manifest/verify/verify_options.ts";
import { attestationFlaw } from "./attestation_check.ts";
import { type Attestation, SVR_PREDICATE_TYPES } from "./predicate.ts";
import { attestationSchema } from "./schema.ts";
import { stepsOf, VERIFIERS } from "./verifiers.ts";

/** An attestation is not read beyond this size, in bytes. */
export const MAX_ATTESTATION_BYTES = 1 << 20;

const verifierSchema = z.object({ predicate: z.object({ verifier: z.object({ id: z.string() }) }) });

/**
 * Reads an attestation, in this order: signature over the exact bytes, types, verifier, schema, then what it says of
 * the manifest. Never throws for what the bytes are.
 *
 * @param key of the reviewer: it alone must have signed
 * @returns a string says why it does not count
 */
export async function readAttestation(
  bytes: Uint8Array,
  key: VerifyingKey,
  manifest: AttestedManifest,
): Promise<Attestation | string> {
  const payload = await readSignedPayload(bytes, key);
  if (typeof payload === "string") return payload;
  const verifier = verifierSchema.safeParse(payload.value).data?.predicate.verifier.id;
  if (verifier !== undefined && stepsOf(verifier) === undefined) {
    const known = VERIFIERS.map(({ id }) => `"${id}"`).join(" and ");
    return `the verifier is "${printable(verifier)}", and this version knows only ${known}`;
  }
  const parsed = attestationSchema.safeParse(payload.value);
  if (!parsed.success) return schemaFlaws(parsed.error).join("; ");
  const flaw = attestationFlaw(parsed.data, manifest);
  return flaw === undefined ? parsed.data : `the attestation ${flaw}`;
}

async function readSignedPayload(bytes: Uint8Array, key: VerifyingKey): Promise<{ readonly value: unknown } | string> {
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch (error) {
    return `it is not strict JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const envelope = readEnvelope(value);
  if (typeof envelope === "string") return `it is no DSSE envelope: ${envelope}`;
  const [signature, second] = envelope.signatures;
  if (signature === undefined || second !== undefined) return "it has not exactly one signature";
  const { keyid, sig } = signature;
  // What the envelope calls the key is a hint for the message: the reviewer's key alone decides.
  if (!await verifyBytes(key, sig, preAuthenticationEncoding(envelope.payloadType, envelope.payload))) {
    return isDigest(keyid) && keyid !== key.keyId
      ? `it is signed by another key, ${shortDigest(keyid)}, and not by ${shortDigest(key.keyId)}`
      : "its signature does not fit its bytes: one of them was changed";
  }
  return readStatementPayload(envelope, ...SVR_PREDICATE_TYPES);
}
