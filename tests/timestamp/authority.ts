/** A timestamp authority of the tests' own, which does as it is told: well or badly. */
import { Integer, Null, ObjectIdentifier, OctetString, Sequence, Utf8String } from "asn1js";
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  Extension,
  ExtKeyUsage,
  IssuerAndSerialNumber,
  MessageImprint,
  PKIStatusInfo,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
  TimeStampResp,
  TSTInfo,
} from "pkijs";
import { SHA256 } from "../../src/timestamp/token.ts";

const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const ECDSA = { name: "ECDSA", namedCurve: "P-256" } as const;
const RSA_PSS = {
  name: "RSA-PSS",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-1",
} as const;

/** What may be wrong with an authority's certificate. */
export interface CertificateOptions {
  readonly purposes?: readonly string[];
  readonly isCritical?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** certified by somebody whom the root certified, and who may certify nobody */
  readonly isByStranger?: true;
  /** signature, over SHA-1, by which the root certifies */
  readonly weakly?: "ECDSA" | "RSA-PSS";
}

/** What may be wrong with a token. */
export interface TokenOptions {
  readonly time?: Date;
  readonly nonce?: Uint8Array<ArrayBuffer>;
  /** object identifier of what the imprint claims to be hashed by */
  readonly hash?: string;
  readonly status?: number;
  /** whose certificate the signature says that it is by; its own if absent, none for `null` */
  readonly boundTo?: Uint8Array<ArrayBuffer> | null;
  /** of the content that attributes are signed over; the token's if absent */
  readonly contentType?: string;
  readonly signers?: number;
  /** of the signature, whatever the signer says that its digest is by; SHA-256 if absent */
  readonly signatureHash?: "SHA-1";
}

interface Holder {
  readonly certificate: Certificate;
  readonly keys: CryptoKeyPair;
}

let serial = 0;

async function certify(name: string, issuer: Holder | undefined, options: CertificateOptions = {}): Promise<Holder> {
  const keys = await crypto.subtle.generateKey(
    issuer === undefined && options.weakly === "RSA-PSS" ? RSA_PSS : ECDSA,
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ value: ++serial });
  const part = new AttributeTypeAndValue({ type: "2.5.4.3", value: new Utf8String({ value: name }) });
  certificate.subject.typesAndValues.push(part);
  if (issuer === undefined) certificate.issuer.typesAndValues.push(part);
  else certificate.issuer = issuer.certificate.subject;
  certificate.notBefore.value = options.notBefore ?? new Date("2020-01-01T00:00:00Z");
  certificate.notAfter.value = options.notAfter ?? new Date("2040-01-01T00:00:00Z");
  const constraints = new BasicConstraints({ cA: issuer === undefined });
  certificate.extensions = [
    new Extension({
      extnID: "2.5.29.19",
      critical: true,
      extnValue: constraints.toSchema().toBER(),
      parsedValue: constraints,
    }),
  ];
  if (issuer !== undefined) {
    const usage = new ExtKeyUsage({ keyPurposes: [...options.purposes ?? [TIME_STAMPING]] });
    certificate.extensions.push(
      new Extension({
        extnID: "2.5.29.37",
        critical: options.isCritical ?? true,
        extnValue: usage.toSchema().toBER(),
        parsedValue: usage,
      }),
    );
  }
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign((issuer?.keys ?? keys).privateKey, options.weakly === undefined ? "SHA-256" : "SHA-1");
  // Read again, as a verifier has it.
  return { certificate: Certificate.fromBER(certificate.toSchema(true).toBER()), keys };
}

/** An authority with a root of its own. */
export class Authority {
  private constructor(
    private readonly rootHolder: Holder,
    private readonly holder: Holder,
    private readonly others: readonly Certificate[],
  ) {}

  static async create(options: CertificateOptions = {}): Promise<Authority> {
    const root = await certify("A root", undefined, options.weakly === undefined ? {} : { weakly: options.weakly });
    const stranger = options.isByStranger === true ? await certify("A stranger", root) : undefined;
    const holder = await certify("An authority", stranger ?? root, options);
    return new Authority(root, holder, stranger === undefined ? [] : [stranger.certificate]);
  }

  /** The root in DER. */
  get root(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.rootHolder.certificate.toSchema(true).toBER());
  }

  get certificate(): Certificate {
    return this.holder.certificate;
  }

  /** The root in PEM. */
  get rootPem(): string {
    const body = this.root.toBase64().replaceAll(/.{64}/g, "$&\n");
    return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  }

  /** A response to a request for a timestamp of a message, in DER. */
  async stamp(message: Uint8Array<ArrayBuffer>, options: TokenOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const { status = 0, signers = 1, contentType = TST_INFO } = options;
    const content = this.#info(message, options, await digest(message)).toSchema().toBER();
    const signed = new SignedData({
      version: 3,
      encapContentInfo: new EncapsulatedContentInfo({
        eContentType: TST_INFO,
        eContent: new OctetString({ valueHex: content }),
      }),
      certificates: [this.certificate, ...this.others],
      signerInfos: [],
    });
    const attributes = [
      new Attribute({ type: "1.2.840.113549.1.9.3", values: [new ObjectIdentifier({ value: contentType })] }),
      new Attribute({
        type: "1.2.840.113549.1.9.4",
        values: [new OctetString({ valueHex: await digest(new Uint8Array(content)) })],
      }),
      ...await this.#binding(options),
    ];
    for (let signer = 0; signer < signers; signer++) {
      signed.signerInfos.push(
        new SignerInfo({
          version: 1,
          sid: new IssuerAndSerialNumber({
            issuer: this.certificate.issuer,
            serialNumber: this.certificate.serialNumber,
          }),
          signedAttrs: new SignedAndUnsignedAttributes({ type: 0, attributes }),
        }),
      );
      await signed.sign(this.holder.keys.privateKey, signer, options.signatureHash ?? "SHA-256");
      const [signedInfo] = signed.signerInfos.slice(-1);
      if (signedInfo !== undefined) signedInfo.digestAlgorithm = new AlgorithmIdentifier({ algorithmId: SHA256 });
    }
    const token = new ContentInfo({ contentType: "1.2.840.113549.1.7.2", content: signed.toSchema(true) });
    const response = new TimeStampResp({
      status: new PKIStatusInfo({
        status,
        ...(status > 1 ? { statusStrings: [new Utf8String({ value: "not today" })] } : {}),
      }),
      ...(status > 1 ? {} : { timeStampToken: token }),
    });
    return new Uint8Array(response.toSchema().toBER());
  }

  #info(_: Uint8Array, { time, nonce, hash = SHA256 }: TokenOptions, hashed: ArrayBuffer): TSTInfo {
    return new TSTInfo({
      version: 1,
      policy: "1.2.3.4.1",
      messageImprint: new MessageImprint({
        hashAlgorithm: new AlgorithmIdentifier({ algorithmId: hash, algorithmParams: new Null() }),
        hashedMessage: new OctetString({ valueHex: hashed }),
      }),
      serialNumber: new Integer({ value: ++serial }),
      genTime: time ?? new Date("2026-06-01T12:00:00Z"),
      ...(nonce === undefined ? {} : { nonce: new Integer({ valueHex: nonce.buffer }) }),
    });
  }

  /** SigningCertificateV2 with the default hash, SHA-256. */
  async #binding(
    { boundTo = new Uint8Array(this.certificate.toSchema(true).toBER()) }: TokenOptions,
  ): Promise<Attribute[]> {
    if (boundTo === null) return [];
    const hash = await digest(boundTo);
    const id = new Sequence({ value: [new OctetString({ valueHex: hash })] });
    const certificates = new Sequence({ value: [new Sequence({ value: [id] })] });
    return [new Attribute({ type: "1.2.840.113549.1.9.16.2.47", values: [certificates] })];
  }
}

function digest(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}
