/**
 * Ed25519 keys by WebCrypto, in the standard forms: PKCS #8 and SPKI, in PEM. Web-standard APIs only.
 *
 * Every key comes in through this file, and none that a strict verifier refuses gets past it (ed25519_strict.ts).
 */
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { pointFlaw, signatureFlaw } from "./ed25519_strict.ts";
import { fromPem, toPem } from "./pem.ts";

/** A key that signatures are checked with. */
export interface VerifyingKey {
  /** for WebCrypto's `verify` */
  readonly publicKey: CryptoKey;
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array<ArrayBuffer>;
  /** SHA-256 of `spki`; what `openssl pkey -pubin -outform DER | sha256sum` prints */
  readonly keyId: Digest;
}

/** A key that can sign. */
export interface SigningKey extends VerifyingKey {
  /** for WebCrypto's `sign`; extractable */
  readonly privateKey: CryptoKey;
}

const ED25519 = { name: "Ed25519" } as const;
/** DER of SubjectPublicKeyInfo before the key's 32 bytes (RFC 8410): there is one spelling. */
const SPKI_HEAD = "302a300506032b6570032100";

/** @throws {KeyFlaw} if it is none that strict verifiers take */
async function toVerifyingKey(publicKey: CryptoKey): Promise<VerifyingKey> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const flaw = pointFlaw(spki.subarray(SPKI_HEAD.length / 2));
  if (flaw !== undefined) throw new KeyFlaw(flaw);
  return { publicKey, spki, keyId: sha256(spki) };
}

/** Why a key that has the right form is refused all the same; its message reads on after "the key". */
class KeyFlaw extends Error {}

/** A new key from the platform's randomness. */
export async function generateSigningKey(): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(ED25519, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("WebCrypto made no key pair");
  return { privateKey: pair.privateKey, ...await toVerifyingKey(pair.publicKey) };
}

/** The private key as PKCS #8 in PEM. */
export async function privateKeyPem(key: SigningKey): Promise<string> {
  return toPem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", key.privateKey)));
}

/** The public key as SPKI in PEM. */
export function publicKeyPem(key: VerifyingKey): string {
  return toPem("PUBLIC KEY", key.spki);
}

/**
 * Reads a private key.
 *
 * @param source where the text came from, for messages: `Key file "key.pem"`
 * @throws {UserError} `KEY_UNREADABLE`; `KEY_REFUSED` for a key of the right form that strict verifiers refuse
 */
export async function parseSigningKey(pem: string, source: string): Promise<SigningKey> {
  const der = fromPem("PRIVATE KEY", pem, source);
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", der, ED25519, true, ["sign"]);
    // WebCrypto has no way from private to public but through JWK, whose "x" is the public key.
    const { x } = await crypto.subtle.exportKey("jwk", privateKey);
    const publicJwk = { kty: "OKP", crv: "Ed25519", x: x ?? "" };
    const publicKey = await crypto.subtle.importKey("jwk", publicJwk, ED25519, true, ["verify"]);
    return { privateKey, ...await toVerifyingKey(publicKey) };
  } catch (cause) {
    throw unusable("PKCS #8", source, cause);
  }
}

/** Reads a public key in PEM; see {@linkcode parseSigningKey}. */
export async function parseVerifyingKey(pem: string, source: string): Promise<VerifyingKey> {
  return await importVerifyingKey(fromPem("PUBLIC KEY", pem, source), source);
}

/** Reads a public key in SPKI's DER bytes. */
export async function importVerifyingKey(spki: Uint8Array<ArrayBuffer>, source: string): Promise<VerifyingKey> {
  try {
    if (!spki.toHex().startsWith(SPKI_HEAD)) throw new TypeError("No Ed25519 key in the DER of RFC 8410");
    return await toVerifyingKey(await crypto.subtle.importKey("spki", spki, ED25519, true, ["verify"]));
  } catch (cause) {
    throw unusable("SPKI", source, cause);
  }
}

function unusable(form: string, source: string, cause: unknown): UserError {
  if (cause instanceof KeyFlaw) {
    const remedy = "no key generator makes such a key, so do not trust where it came from";
    return new UserError("KEY_REFUSED", `${source} is an Ed25519 key that ${cause.message}`, remedy, { cause });
  }
  const remedy = 'make one with "deno task keygen", or with "openssl genpkey -algorithm ed25519"';
  return new UserError("KEY_UNREADABLE", `${source} is no Ed25519 key in ${form}`, remedy, { cause });
}

/** Signs bytes; 64 bytes, the same for the same key and message (RFC 8032). */
export async function signBytes(
  key: SigningKey,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(ED25519, key.privateKey, message));
}

/** Whether a signature over exactly these bytes is the key's, and in the one form that it must have. */
export async function verifyBytes(
  key: VerifyingKey,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return signatureFlaw(signature) === undefined &&
    await crypto.subtle.verify(ED25519, key.publicKey, signature, message);
}
