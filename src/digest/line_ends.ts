/**
 * Text files of the project, for their digests: line ends are those of a checkout and not of the content. Git for Windows
 * turns LF into CRLF unless `.gitattributes` forbids it, and so do editors and unpackers; the digest of such a file is
 * that of the same file with LF. Web-standard APIs only.
 */
import { type Digest, sha256 } from "./sha256.ts";

const LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d;

/** A text with LF in place of CRLF. */
export function withLineFeeds(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** Whether bytes have a line end as Windows writes it. */
export function hasWindowsLineEnds(bytes: Uint8Array): boolean {
  return bytes.some((byte, i) => byte === LINE_FEED && bytes[i - 1] === CARRIAGE_RETURN);
}

/** The SHA-256 of a text's bytes with LF in place of CRLF. */
export function textDigest(bytes: Uint8Array): Digest {
  if (!hasWindowsLineEnds(bytes)) return sha256(bytes);
  return sha256(bytes.filter((byte, i) => !(byte === CARRIAGE_RETURN && bytes[i + 1] === LINE_FEED)));
}
