/** SHA-256 by hash-wasm: synchronous and incremental after one asynchronous start. */
import { createSHA256 } from "hash-wasm";

/** A SHA-256 digest as 64 lower-case hexadecimal characters. No string has the marking member: a cast makes one. */
export type Digest = string & { readonly "~digest": true };

const HASHER = await createSHA256();

/** Incremental SHA-256, one at a time in a thread; `finish()` may be called once. */
export interface Sha256 {
  update(bytes: Uint8Array): this;
  /** The digest of the bytes so far; more may follow. */
  peek(): Digest;
  finish(): Digest;
}

const encoder = new TextEncoder();

/** SHA-256 of bytes, or of a string's UTF-8. */
export function sha256(data: Uint8Array | string): Digest {
  HASHER.init();
  HASHER.update(typeof data === "string" ? encoder.encode(data) : data);
  return HASHER.digest("hex") as Digest;
}

/** SHA-256 of bytes, as 32 bytes. */
export function sha256Bytes(data: Uint8Array): Uint8Array {
  HASHER.init();
  HASHER.update(data);
  return HASHER.digest("binary");
}

/** A new incremental hasher, independent of any other. */
export async function createSha256(): Promise<Sha256> {
  const hasher = await createSHA256();
  hasher.init();
  const incremental: Sha256 = {
    update(bytes) {
      hasher.update(bytes);
      return this;
    },
    peek: () => {
      const state = hasher.save();
      const digest = hasher.digest("hex") as Digest;
      hasher.load(state);
      return digest;
    },
    finish: () => hasher.digest("hex") as Digest,
  };
  return incremental;
}

/** Whether a string has the form of a {@linkcode Digest}. */
export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/** First and last four characters, for messages that name a digest: `41e3…ccd1`. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 4)}…${digest.slice(-4)}`;
}
