/** The signatures of an envelope, over its exact bytes. Web-standard APIs only. */
import { shortDigest } from "../digest/sha256.ts";
import { type Envelope, type EnvelopeSignature, preAuthenticationEncoding } from "./dsse.ts";
import { importVerifyingKey, verifyBytes, type VerifyingKey } from "./keys.ts";
import type { Signer, StepOutcome } from "./verification_report.ts";

/** A key whose owner the caller knows. */
export interface TrustedKey {
  /** how reports call it: a file, or a person */
  readonly name: string;
  /** what its signatures are checked with */
  readonly key: VerifyingKey;
}

/** What the signatures of an envelope show. */
export interface SignatureFindings {
  readonly signature: StepOutcome;
  readonly signer: StepOutcome;
  /** those whose signatures are good */
  readonly signers: readonly Signer[];
}

/**
 * Checks every signature whose key is at hand: a trusted one, or else the one in the envelope, which shows that the
 * envelope is whole and by whom it was *not* signed, and no more. One bad signature fails the envelope.
 */
export async function checkSignatures(
  envelope: Envelope,
  trustedKeys: readonly TrustedKey[],
): Promise<SignatureFindings> {
  const message = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  const signers: Signer[] = [];
  const withoutKey: string[] = [];
  const noSigner: StepOutcome = { status: "not checked", detail: "no signature is good" };
  for (const signature of envelope.signatures) {
    const trusted = trustedKeys.find(({ key }) => key.keyId === signature.keyid);
    const key = trusted?.key ?? await embeddedKey(signature);
    if (key === undefined) {
      withoutKey.push(signature.keyid);
      continue;
    }
    const flaw = typeof key === "string"
      ? key
      : await verifyBytes(key, signature.sig, message)
      ? undefined
      : `the signature of key ${signature.keyid} does not fit the bytes of the manifest: one of them was changed`;
    if (flaw !== undefined) return { signature: { status: "failed", detail: flaw }, signer: noSigner, signers: [] };
    signers.push({ keyId: signature.keyid, ...(trusted === undefined ? {} : { trustedAs: trusted.name }) });
  }
  if (signers.length === 0) {
    const detail = `the manifest is signed by key ${
      withoutKey[0]
    }, which is not at hand; give it with --public-key FILE`;
    return { signature: { status: "not checked", detail }, signer: noSigner, signers };
  }
  const detail = `signed by key ${signers.map(({ keyId }) => keyId).join(" and ")}`;
  return { signature: { status: "ok", detail }, signer: checkSigner(signers, trustedKeys), signers };
}

function checkSigner(signers: readonly Signer[], trustedKeys: readonly TrustedKey[]): StepOutcome {
  const trusted = signers.filter(({ trustedAs }) => trustedAs !== undefined);
  if (trusted.length > 0) {
    return { status: "ok", detail: `the key is that of ${trusted.map(({ trustedAs }) => trustedAs).join(" and ")}` };
  }
  const [first] = signers;
  if (trustedKeys.length === 0) {
    return {
      status: "not checked",
      detail: `who owns key ${shortDigest(first?.keyId ?? "")} was not checked; give a key you trust with --public-key`,
    };
  }
  const wanted = trustedKeys.map(({ name, key }) => `${shortDigest(key.keyId)} (${name})`).join(" or ");
  return { status: "failed", detail: `signed by another key, ${first?.keyId}, and not by ${wanted}` };
}

async function embeddedKey({ keyid, publicKey }: EnvelopeSignature): Promise<VerifyingKey | string | undefined> {
  if (publicKey === undefined) return undefined;
  try {
    const key = await importVerifyingKey(publicKey, "The key in the envelope");
    return key.keyId === keyid ? key : `the key in the envelope is ${key.keyId}, and its signature names key ${keyid}`;
  } catch {
    return "the key in the envelope is no Ed25519 key";
  }
}
