/** Ed25519 keys by WebCrypto, in the standard forms: PKCS #8 and SPKI, in PEM. Web-standard APIs only. */
import { type Digest, sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
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

async function toVerifyingKey(publicKey: CryptoKey): Promise<VerifyingKey> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return { publicKey, spki, keyId: sha256(spki) };
}

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
 * @throws {UserError} `KEY_UNREADABLE`
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
    throw notEd25519("PKCS #8", source, cause);
  }
}

/** Reads a public key in PEM; see {@linkcode parseSigningKey}. */
export async function parseVerifyingKey(pem: string, source: string): Promise<VerifyingKey> {
  return await importVerifyingKey(fromPem("PUBLIC KEY", pem, source), source);
}

/** Reads a public key in SPKI's DER bytes. */
export async function importVerifyingKey(spki: Uint8Array<ArrayBuffer>, source: string): Promise<VerifyingKey> {
  try {
    return await toVerifyingKey(await crypto.subtle.importKey("spki", spki, ED25519, true, ["verify"]));
  } catch (cause) {
    throw notEd25519("SPKI", source, cause);
  }
}

function notEd25519(form: string, source: string, cause: unknown): UserError {
  return new UserError(
    "KEY_UNREADABLE",
    `${source} is no Ed25519 key in ${form}`,
    'make one with "deno task keygen", or with "openssl genpkey -algorithm ed25519"',
    { cause },
  );
}

/** Signs bytes; 64 bytes, the same for the same key and message (RFC 8032). */
export async function signBytes(key: SigningKey, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign(ED25519, key.privateKey, message));
}

/** Whether a signature over exactly these bytes is the key's. */
export async function verifyBytes(
  key: VerifyingKey,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return signature.length === 64 && await crypto.subtle.verify(ED25519, key.publicKey, signature, message);
}
