/** The signatures of an envelope, over its exact bytes. Web-standard APIs only. */
import { isDigest, shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { type Envelope, type EnvelopeSignature, preAuthenticationEncoding } from "../format/dsse.ts";
import { importVerifyingKey, verifyBytes, type VerifyingKey } from "../keys/keys.ts";
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
  /** those whose signatures are good, each key once */
  readonly signers: readonly Signer[];
  /** what the signatures leave open, in whole sentences */
  readonly caveats: readonly string[];
}

/** What came of one signature. */
type Finding =
  | { readonly outcome: "good"; readonly signer: Signer }
  /** it says whose it is, and is not */
  | { readonly outcome: "bad"; readonly reason: string }
  /** it is of a key that is not at hand, or of another algorithm */
  | { readonly outcome: "unchecked"; readonly reason: string };

interface Unchecked {
  readonly signature: EnvelopeSignature;
  readonly reason: string;
}

/**
 * Checks every signature with a trusted key, or else with the one in the envelope, which shows that the envelope is
 * whole and by whom it was *not* signed, and no more. A signature that is not by the key that it names fails the
 * envelope. One whose key is not at hand is reported, and neither helps nor harms.
 */
export async function checkSignatures(
  envelope: Envelope,
  trustedKeys: readonly TrustedKey[],
): Promise<SignatureFindings> {
  const message = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  const noSigner: StepOutcome = { status: "not checked", detail: "no signature is good" };
  const signers = new Map<string, Signer>();
  const unchecked: Unchecked[] = [];
  let isRepeated = false;
  for (const signature of envelope.signatures) {
    const finding = await checkSignature(signature, message, trustedKeys);
    switch (finding.outcome) {
      case "good":
        if (signers.has(finding.signer.keyId)) isRepeated = true;
        else signers.set(finding.signer.keyId, finding.signer);
        break;
      case "bad": {
        const failed: StepOutcome = { status: "failed", detail: finding.reason };
        return { signature: failed, signer: noSigner, signers: [], caveats: [] };
      }
      case "unchecked":
        unchecked.push({ signature, reason: finding.reason });
    }
  }
  if (signers.size === 0) {
    return { signature: withoutSigners(unchecked, trustedKeys), signer: noSigner, signers: [], caveats: [] };
  }
  const good = [...signers.values()];
  const detail = [
    `signed by key ${good.map(({ keyId }) => keyId).join(" and ")}`,
    ...(isRepeated ? ["a key that signed more than once counts once"] : []),
    ...(unchecked.length === 0 ? [] : [`not checked: ${listed(unchecked)}`]),
  ].join("; ");
  return {
    signature: { status: "ok", detail },
    signer: checkSigner(good, trustedKeys),
    signers: good,
    caveats: unchecked.map(({ signature, reason }) =>
      `Anything about a further signature, ${describe(signature)}, which was not checked: ${reason}.`
    ),
  };
}

/**
 * Whether a key signed an envelope, whatever the envelope says of its signers; or is named by it, so that it says it did.
 */
export async function isSignedBy({ payloadType, payload, signatures }: Envelope, key: VerifyingKey): Promise<boolean> {
  const message = preAuthenticationEncoding(payloadType, payload);
  for (const { keyid, sig, publicKey } of signatures) {
    if (keyid === key.keyId || publicKey?.toHex() === key.spki.toHex()) return true;
    if (await verifyBytes(key, sig, message)) return true;
  }
  return false;
}

async function checkSignature(
  signature: EnvelopeSignature,
  message: Uint8Array<ArrayBuffer>,
  trustedKeys: readonly TrustedKey[],
): Promise<Finding> {
  const { keyid, sig } = signature;
  const fits = (key: VerifyingKey) => verifyBytes(key, sig, message);
  const misfit = (keyId: string): Finding => ({
    outcome: "bad",
    reason: `the signature of key ${keyId} does not fit the bytes of the manifest: one of them was changed`,
  });
  const byTrusted = ({ name, key }: TrustedKey): Finding => ({
    outcome: "good",
    signer: { keyId: key.keyId, trustedAs: name },
  });
  const named = trustedKeys.find(({ key }) => key.keyId === keyid);
  if (named !== undefined) return await fits(named.key) ? byTrusted(named) : misfit(keyid);
  const embedded = await embeddedKey(signature);
  if (typeof embedded === "object" && embedded.keyId === keyid) {
    return await fits(embedded) ? { outcome: "good", signer: { keyId: keyid } } : misfit(keyid);
  }
  // What the signer calls the key may be anything, or nothing: only trying shows whose the signature is.
  for (const trusted of trustedKeys) {
    if (await fits(trusted.key)) return byTrusted(trusted);
  }
  if (embedded === undefined) return { outcome: "unchecked", reason: "its key is not at hand" };
  if (typeof embedded === "string") return { outcome: "unchecked", reason: embedded };
  if (await fits(embedded)) return { outcome: "good", signer: { keyId: embedded.keyId } };
  if (!isDigest(keyid)) return misfit(embedded.keyId);
  const reason = `the key in the envelope is ${embedded.keyId}, and its signature names key ${keyid} and fits neither`;
  return { outcome: "bad", reason };
}

/** No signature is good. With keys that were to have signed, that is a no; without, nothing could be tried. */
function withoutSigners(unchecked: readonly Unchecked[], trustedKeys: readonly TrustedKey[]): StepOutcome {
  const signatures = listed(unchecked);
  const foreign = unchecked.find(({ signature }) => signature.publicKey !== undefined);
  if (trustedKeys.length > 0) {
    const wanted = trustedKeys.map(({ name, key }) => `${shortDigest(key.keyId)} (${name})`).join(" or ");
    const found = foreign === undefined ? "another key signed it, or it was changed" : foreign.reason;
    return { status: "failed", detail: `no signature is by ${wanted}: ${found}; signatures: ${signatures}` };
  }
  if (foreign !== undefined) return { status: "failed", detail: foreign.reason };
  const detail = `the manifest is signed by a key that is not at hand, ${signatures}; give it with --public-key FILE`;
  return { status: "not checked", detail };
}

/** A signature as caveats name it. */
function describe({ keyid, sig }: EnvelopeSignature): string {
  const name = isDigest(keyid) ? `key ${keyid}` : keyid === "" ? "unnamed" : `"${printable(keyid, 80)}"`;
  return `${name} (${sig.length} bytes)`;
}

/** All of them, so short that a step's detail holds as many as an envelope may have. */
function listed(unchecked: readonly Unchecked[]): string {
  return unchecked.map(({ signature: { keyid, sig } }) => {
    const name = isDigest(keyid) ? `key ${shortDigest(keyid)}` : keyid === "" ? "unnamed" : `"${printable(keyid, 24)}"`;
    return `${name} (${sig.length} bytes)`;
  }).join(", ");
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

/** The key that travels with a signature; a string says why it can check nothing. */
async function embeddedKey({ publicKey }: EnvelopeSignature): Promise<VerifyingKey | string | undefined> {
  if (publicKey === undefined) return undefined;
  try {
    return await importVerifyingKey(publicKey, "the key in the envelope");
  } catch (error) {
    if (error instanceof UserError && error.code === "KEY_REFUSED") return error.message;
    return "the key in the envelope is no Ed25519 key";
  }
}
