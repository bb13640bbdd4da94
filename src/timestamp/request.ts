/** Timestamp requests (RFC 3161, section 2.4.1). */
import { Integer } from "asn1js";
import { AlgorithmIdentifier, MessageImprint, TimeStampReq } from "pkijs";
import { OctetString } from "asn1js";
import { sha256Bytes } from "../digest/sha256.ts";
import { SHA256 } from "./token.ts";

/**
 * A request for a timestamp of a message, in DER: its SHA-256, a fresh nonce, and that the authority's certificate is to
 * come along.
 */
export function timestampRequest(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  // Positive, and of one spelling.
  nonce[0] = (nonce[0] ?? 0) & 0x3f | 0x40;
  const request = new TimeStampReq({
    version: 1,
    messageImprint: imprintOf(message),
    nonce: new Integer({ valueHex: nonce.buffer }),
    certReq: true,
  });
  return new Uint8Array(request.toSchema().toBER());
}

function imprintOf(message: Uint8Array): MessageImprint {
  return new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA256 }),
    hashedMessage: new OctetString({ valueHex: sha256Bytes(message).slice().buffer }),
  });
}

/** What a request asks for; undefined if it is none. */
export function readRequest(
  bytes: Uint8Array<ArrayBuffer>,
): { readonly imprint: string; readonly nonce?: string } | undefined {
  try {
    const { messageImprint, nonce } = TimeStampReq.fromBER(bytes);
    return {
      imprint: messageImprint.hashedMessage.valueBlock.valueHexView.toHex(),
      nonce: nonce?.valueBlock.valueHexView.toHex(),
    };
  } catch {
    return undefined;
  }
}
