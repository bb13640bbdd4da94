/** What a timestamp says, and bounds. What reads them loads PKI.js, which few commands need: it is imported when it must. */

/** A response is not read beyond this size, in bytes: authorities send 1 to 8 kB, certificates included. */
export const MAX_TIMESTAMP_BYTES = 1 << 16;

/** A good timestamp. */
export interface Timestamp {
  /** when the authority saw the message's digest: ISO 8601 in UTC */
  readonly time: string;
  /** what the authority's certificate calls it */
  readonly authority: string;
  /** hexadecimal; absent if the request had none */
  readonly nonce?: string;
  /** whether its certificate leads to one of the roots that were given; absent if none were */
  readonly isTrusted?: true;
}

/** Bytes of a request with a nonce and without extensions: fewer than this. */
export const MAX_REQUEST_BYTES = 1024;
