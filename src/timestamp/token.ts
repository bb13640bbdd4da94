/**
 * Timestamps of RFC 3161: a response of an authority, checked against the message that it is of. Parsing, signatures and
 * certificate chains are PKI.js's, on WebCrypto; what RFC 3161 and RFC 5816 demand besides, and PKI.js leaves to its
 * caller, is asked here: one signer, the type of what is signed, the binding of the certificate (ESSCertID), its sole
 * purpose, hash functions that hold. Web-standard APIs only.
 *
 * @see RFC 3161 (2.2, 2.3, 2.4.2), RFC 5816, RFC 5652 (5.3, 5.6)
 */
import { fromBER, ObjectIdentifier, OctetString, Sequence } from "asn1js";
import {
  type AlgorithmIdentifier,
  Certificate,
  RSASSAPSSParams,
  SignedData,
  SignedDataVerifyError,
  type SignerInfo,
  TimeStampResp,
  TSTInfo,
} from "pkijs";
import { sha256 } from "../digest/sha256.ts";
import { MAX_TIMESTAMP_BYTES, type Timestamp } from "./timestamp.ts";

/** SHA-256 as an object identifier. */
export const SHA256 = "2.16.840.1.101.3.4.2.1";
const SHA384 = "2.16.840.1.101.3.4.2.2";
const SHA512 = "2.16.840.1.101.3.4.2.3";
/** Names by which WebCrypto knows the hash functions that hold. */
const HASHES: Readonly<Record<string, string>> = { [SHA256]: "SHA-256", [SHA384]: "SHA-384", [SHA512]: "SHA-512" };
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const COMMON_NAME = "2.5.4.3";
const RSA_PSS = "1.2.840.113549.1.1.10";
/** Signatures whose hash function holds: RSA and ECDSA, each with SHA-256, 384 and 512. RSA-PSS names its own. */
const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
]);
/** RSA that leaves the hash function to the signer's digest algorithm, as CMS allows (RFC 3370, 3.2). */
const RSA = "1.2.840.113549.1.1.1";

/** What a timestamp that is refused has: a string reads on after the name of its file. */
class Refused extends Error {}

/**
 * Checks a response against a message. Never throws: whatever the bytes are, there is a timestamp, or the reason why there
 * is none, which reads on after "the timestamp".
 *
 * @param bytes a TimeStampResp in DER
 * @param roots certificates in DER that the verifier trusts; without them the signature is checked, and not who the authority is
 */
export async function readTimestamp(
  bytes: Uint8Array,
  message: Uint8Array,
  roots: readonly Uint8Array<ArrayBuffer>[] = [],
): Promise<Timestamp | string> {
  try {
    return await readResponse(bytes, message, roots.map((der) => Certificate.fromBER(der)));
  } catch (error) {
    if (error instanceof Refused) return error.message;
    const reason = error instanceof Error ? error.message : String(error);
    return `cannot be read: ${reason}`;
  }
}

async function readResponse(
  bytes: Uint8Array,
  message: Uint8Array,
  roots: readonly Certificate[],
): Promise<Timestamp> {
  if (bytes.length > MAX_TIMESTAMP_BYTES) {
    throw new Refused(`has ${bytes.length} bytes, and at most ${MAX_TIMESTAMP_BYTES} are read`);
  }
  const signed = signedDataOf(bytes);
  const info = tokenOf(signed);
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  if (hashAlgorithm.algorithmId !== SHA256) throw new Refused("is of another digest than SHA-256");
  const imprint = hashedMessage.valueBlock.valueHexView.toHex();
  if (imprint !== sha256(message)) {
    throw new Refused(
      `is of something else: of ${imprint.slice(0, 16)}…, and this is ${sha256(message).slice(0, 16)}…`,
    );
  }
  const signer = signerOf(signed);
  const certificate = await verifySignature(signed, message, roots);
  requirePurpose(certificate);
  await requireBinding(signer, certificate);
  const nonce = info.nonce?.valueBlock.valueHexView.toHex();
  return {
    time: info.genTime.toISOString(),
    authority: nameOf(certificate),
    ...(nonce === undefined ? {} : { nonce }),
    ...(roots.length === 0 ? {} : { isTrusted: true as const }),
  };
}

/** The token of a response that grants one. */
function signedDataOf(bytes: Uint8Array): SignedData {
  const parsed = fromBER(bytes);
  if (parsed.offset !== bytes.length) throw new Refused("is no timestamp response (RFC 3161) in DER");
  const { status, timeStampToken } = new TimeStampResp({ schema: parsed.result });
  // 0 granted, 1 granted with modifications
  if (status.status > 1 || timeStampToken === undefined) {
    const words = status.statusStrings?.map((text) => text.valueBlock.value).join("; ") ?? "";
    throw new Refused(`was not granted: status ${status.status}${words === "" ? "" : `, "${words.slice(0, 200)}"`}`);
  }
  if (timeStampToken.contentType !== SIGNED_DATA) throw new Refused("holds no signed data");
  return new SignedData({ schema: timeStampToken.content });
}

function tokenOf({ encapContentInfo }: SignedData): TSTInfo {
  const { eContentType, eContent } = encapContentInfo;
  if (eContentType !== TST_INFO || eContent === undefined) {
    throw new Refused("is signed over something else than a time");
  }
  return TSTInfo.fromBER(eContent.getValue());
}

/** The one signer, who signs attributes, as a token must. */
function signerOf({ signerInfos }: SignedData): SignerInfo {
  const [signer, another] = signerInfos;
  if (signer === undefined || another !== undefined) throw new Refused(`has ${signerInfos.length} signers, not one`);
  if (HASHES[signer.digestAlgorithm.algorithmId] === undefined) throw new Refused("is signed over a weak digest");
  const { signatureAlgorithm } = signer;
  if (signatureAlgorithm.algorithmId !== RSA && !isStrong(signatureAlgorithm)) {
    throw new Refused("is signed by a weak digest, or in a way that is not known here");
  }
  const type = attributeOf(signer, CONTENT_TYPE);
  if (!(type instanceof ObjectIdentifier) || type.getValue() !== TST_INFO) {
    throw new Refused("does not sign that its content is a time");
  }
  return signer;
}

/** The only value of a signed attribute that stands there once. */
function attributeOf(signer: SignerInfo, type: string): unknown {
  const found = signer.signedAttrs?.attributes.filter((attribute) => attribute.type === type) ?? [];
  const [attribute, another] = found;
  if (attribute === undefined) return undefined;
  if (another !== undefined || attribute.values.length !== 1) throw new Refused(`has the attribute ${type} twice`);
  return attribute.values[0];
}

/** The certificate that the signature is good by, and whose chain leads to a root at the time that is stated. */
async function verifySignature(
  signed: SignedData,
  message: Uint8Array,
  roots: readonly Certificate[],
): Promise<Certificate> {
  const isChecked = roots.length > 0;
  try {
    const { signatureVerified, signerCertificate, certificatePath = [] } = await signed.verify({
      signer: 0,
      data: new Uint8Array(message).buffer,
      trustedCerts: [...roots],
      checkChain: isChecked,
      extendedMode: true,
    });
    if (signatureVerified !== true || signerCertificate == null) {
      throw new Refused("has a signature that does not hold");
    }
    // The last is the root, trusted as it is.
    const weak = certificatePath.slice(0, -1).find(({ signatureAlgorithm }) => !isStrong(signatureAlgorithm));
    if (weak !== undefined) {
      throw new Refused(`rests on a certificate that is signed by a weak digest, of ${nameOf(weak)}`);
    }
    requireValid(signerCertificate, signed);
    return signerCertificate;
  } catch (error) {
    if (!(error instanceof SignedDataVerifyError)) throw error;
    // 5: the chain of certificates; the library's own words
    throw new Refused(
      error.code === 5 ? `does not lead to a root that you trust: ${error.message}` : `does not hold: ${error.message}`,
    );
  }
}

/** Whether a signature names a hash function that holds; PKI.js computes by the one that is named. */
function isStrong({ algorithmId, algorithmParams }: AlgorithmIdentifier): boolean {
  if (algorithmId !== RSA_PSS) return STRONG_SIGNATURES.has(algorithmId);
  const { hashAlgorithm } = new RSASSAPSSParams({ schema: algorithmParams });
  return HASHES[hashAlgorithm.algorithmId] !== undefined;
}

/** Chains are checked by the library; without roots there is none, and the authority's own dates are looked at. */
function requireValid({ notBefore, notAfter }: Certificate, signed: SignedData): void {
  const { genTime } = tokenOf(signed);
  if (genTime < notBefore.value || genTime > notAfter.value) {
    throw new Refused("is dated outside the time in which its authority's certificate is valid");
  }
}

/** RFC 3161, 2.3: the purpose is critical and the only one, so that no other key of anybody's passes for an authority's. */
function requirePurpose({ extensions = [] }: Certificate): void {
  const usage = extensions.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE);
  const purposes: unknown = usage?.parsedValue?.keyPurposes;
  const isSole = Array.isArray(purposes) && purposes.length === 1 && purposes[0] === TIME_STAMPING;
  if (usage?.critical !== true || !isSole) {
    throw new Refused("is signed by a certificate that is not for timestamps alone");
  }
}

/** RFC 3161, 2.4.2 and RFC 5816: the signature covers which certificate it is by. */
async function requireBinding(signer: SignerInfo, certificate: Certificate): Promise<void> {
  const v2 = attributeOf(signer, SIGNING_CERTIFICATE_V2);
  const attribute = v2 ?? attributeOf(signer, SIGNING_CERTIFICATE);
  // SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, … }, whose first is the signer's
  const [id] = sequence(sequence(attribute)[0]).map(sequence);
  const [first, second] = id ?? [];
  const [algorithm] = first instanceof OctetString ? [] : sequence(first);
  const isNamed = algorithm instanceof ObjectIdentifier;
  const hash = isNamed ? second : first;
  const name = v2 === undefined ? "SHA-1" : isNamed ? HASHES[algorithm.getValue()] : "SHA-256";
  if (!(hash instanceof OctetString) || name === undefined) {
    throw new Refused("does not sign which certificate it is by");
  }
  const found = new Uint8Array(await crypto.subtle.digest(name, certificate.toSchema(false).toBER()));
  if (found.toHex() !== hash.valueBlock.valueHexView.toHex()) {
    throw new Refused("signs that it is by another certificate");
  }
}

function sequence(value: unknown): readonly unknown[] {
  return value instanceof Sequence ? value.valueBlock.value : [];
}

/** Common name, or the whole subject. */
function nameOf({ subject }: Certificate): string {
  const of = (type?: string) =>
    subject.typesAndValues.filter((part) => type === undefined || part.type === type)
      .map(({ value }) => String(value.valueBlock.value));
  const [common] = of(COMMON_NAME);
  return (common ?? of().join(", ")).slice(0, 200);
}
