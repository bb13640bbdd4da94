/**
 * DSSE v1 envelopes (github.com/secure-systems-lab/dsse, protocol.md and envelope.md). Written with one Ed25519
 * signature; read as the protocol allows them. Web-standard APIs only.
 *
 * `@sigstore/core` has the encoding that is signed, but on Node's `crypto` and `Buffer`, which a web page has not; the
 * tests compare with it.
 */
import { isDigest } from "../../digest/sha256.ts";
import { signBytes, type SigningKey } from "../keys/keys.ts";

/** Media type of in-toto statements, the only payload that rewarm signs or reads. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const MAX_SIGNATURES = 16;

/** A signature in an envelope. */
export interface EnvelopeSignature {
  /** what the signer calls the key, empty if nothing: a hint that nothing may be concluded from */
  readonly keyid: string;
  /** of whatever algorithm */
  readonly sig: Uint8Array<ArrayBuffer>;
  /**
   * SPKI of the signer. A convenience, so that the signature can be checked without a key at hand; it says nothing
   * about who the signer is.
   */
  readonly publicKey?: Uint8Array<ArrayBuffer>;
}

/** An envelope, decoded. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly signatures: readonly EnvelopeSignature[];
}

/** The bytes that are signed: DSSE's pre-authentication encoding of a payload and its type. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const type = encoder.encode(payloadType);
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const encoded = new Uint8Array(head.length + payload.length);
  encoded.set(head);
  encoded.set(payload, head.length);
  return encoded;
}

/** Signs a payload; the text of the envelope. */
export async function signEnvelope(payload: Uint8Array, key: SigningKey): Promise<string> {
  const sig = await signBytes(key, preAuthenticationEncoding(PAYLOAD_TYPE, payload));
  const signature = { keyid: key.keyId, sig: sig.toBase64(), publicKey: key.spki.toBase64() };
  return `${JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: payload.toBase64(), signatures: [signature] })}\n`;
}

/** Bytes of the envelope that {@linkcode signEnvelope} makes of a payload of so many bytes. */
export function envelopeBytes(payloadBytes: number): number {
  const signature = { keyid: "0".repeat(64), sig: "0".repeat(88), publicKey: "0".repeat(60) };
  const rest = `${JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: "", signatures: [signature] })}\n`;
  return rest.length + 4 * Math.ceil(payloadBytes / 3);
}

/**
 * Reads an envelope out of parsed JSON; a string says what is wrong. Members that DSSE does not know are ignored, as it
 * prescribes: what counts is inside the signed payload.
 */
export function readEnvelope(value: unknown): Envelope | string {
  const members = membersOf(value);
  if (members === undefined) return "it is not a JSON object";
  const payloadType = members.get("payloadType");
  if (typeof payloadType !== "string") return 'it has no "payloadType"';
  const payload = fromBase64(members.get("payload"));
  if (payload === undefined) return '"payload" is not base64';
  const list = members.get("signatures");
  if (!Array.isArray(list) || list.length === 0) return "it has no signature";
  if (list.length > MAX_SIGNATURES) return `it has more than ${MAX_SIGNATURES} signatures`;
  const signatures: EnvelopeSignature[] = [];
  for (const item of list) {
    const signature = readSignature(item);
    if (typeof signature === "string") return signature;
    if (isDigest(signature.keyid) && signatures.some(({ keyid }) => keyid === signature.keyid)) {
      return "it has two signatures by one key";
    }
    signatures.push(signature);
  }
  return { payloadType, payload, signatures };
}

function readSignature(value: unknown): EnvelopeSignature | string {
  const members = membersOf(value);
  if (members === undefined) return "a signature is not a JSON object";
  const keyid = members.get("keyid") ?? "";
  if (typeof keyid !== "string") return 'the "keyid" of a signature is no text';
  const sig = fromBase64(members.get("sig"));
  if (sig === undefined) return 'the "sig" of a signature is not base64';
  if (!members.has("publicKey")) return { keyid, sig };
  const publicKey = fromBase64(members.get("publicKey"));
  return publicKey === undefined ? 'the "publicKey" of a signature is not base64' : { keyid, sig, publicKey };
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

/**
 * Bytes of base64 (RFC 4648) in the standard or the URL-safe alphabet, which DSSE allows both, padded or not; never in
 * both at once, with white space, or with bits left over, so that the text has one reading.
 */
function fromBase64(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof text !== "string") return undefined;
  const alphabet = /[-_]/.test(text) ? "base64url" : "base64";
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet, lastChunkHandling: "loose" });
    return bytes.toBase64({ alphabet, omitPadding: !text.endsWith("=") }) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
