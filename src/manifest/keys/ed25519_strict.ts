/**
 * Which Ed25519 keys and signatures are taken: those about which strict verifiers agree (RFC 8032 §5.1.3 and §5.1.7, and
 * the small-order rule of the W3C's "Ed25519" for WebCrypto). Web-standard APIs only.
 *
 * For a key of small order anyone can make signatures that hold for many messages, and a second encoding of a key or of
 * a signature is a second name for one thing. Implementations of WebCrypto differ here: Deno's takes small orders, and
 * keys that are no point at all. So points are decoded by `@noble/ed25519` (5 kB, no dependencies, its `zip215` off),
 * since arithmetic modulo 2^255 − 19 is not for this project to write, and the equation is left to WebCrypto, which has
 * it without the cofactor. noble's own `verify` multiplies by the cofactor: it would take signatures that OpenSSL and
 * others refuse. A key with a component of small order beside its large one is taken, as RFC 8032 has it.
 */
import { Point } from "@noble/ed25519";

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** L, the order of the base point. */
const ORDER = Point.CURVE().n;

/** Why a signature is refused whatever the key and the message are; `undefined` if it has the one form it must have. */
export function signatureFlaw(signature: Uint8Array): string | undefined {
  if (signature.length !== SIGNATURE_BYTES) {
    return `has ${signature.length} bytes, and Ed25519's have ${SIGNATURE_BYTES}`;
  }
  const r = pointFlaw(signature.subarray(0, POINT_BYTES));
  if (r !== undefined) return `has a point R that ${r}`;
  if (littleEndian(signature.subarray(POINT_BYTES)) >= ORDER) {
    return "has a scalar S that is not below the group's order";
  }
  return undefined;
}

/** Why a public key, or the point R of a signature, is refused; `undefined` if it is good. Reads on after its name. */
export function pointFlaw(bytes: Uint8Array): string | undefined {
  if (bytes.length !== POINT_BYTES) return `has ${bytes.length} bytes, and a point has ${POINT_BYTES}`;
  const point = decode(bytes, false);
  if (point === undefined) {
    return decode(bytes, true) === undefined ? "is no point of the curve" : "is not in its canonical encoding";
  }
  return point.isSmallOrder() ? "is of small order" : undefined;
}

/** @param isLenient takes encodings that RFC 8032 refuses, for a message that says so */
function decode(bytes: Uint8Array, isLenient: boolean): Point | undefined {
  try {
    return Point.fromBytes(bytes, isLenient);
  } catch {
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toReversed().toHex()}`);
}
