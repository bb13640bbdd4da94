/** PEM, the text form of keys (RFC 7468). */
import { UserError } from "../../errors.ts";

/** The labels of RFC 7468 that rewarm reads and writes. */
export type PemLabel = "PRIVATE KEY" | "PUBLIC KEY";

/** Writes DER bytes as PEM, 64 characters a line. */
export function toPem(label: PemLabel, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * The DER bytes of the one PEM block in a text; words around it are ignored, as RFC 7468 has it.
 *
 * @param source where the text came from, for messages
 * @throws {UserError} `KEY_UNREADABLE` if there is no block or one of another kind, `SEVERAL_KEYS` if there is more than
 * one; the text itself is never shown
 */
export function fromPem(label: PemLabel, text: string, source: string): Uint8Array<ArrayBuffer> {
  const unreadable = (found: string) =>
    new UserError(
      "KEY_UNREADABLE",
      `${source} is no Ed25519 ${label.toLowerCase()} in PEM: ${found}`,
      label === "PRIVATE KEY"
        ? 'make one with "deno task keygen", or with "openssl genpkey -algorithm ed25519"'
        : 'give the file that "deno task keygen" wrote beside the private key, or "openssl pkey -pubout" made',
    );
  // Whatever begins like a block counts, whole or not: a key that is passed over in silence is one that somebody trusts.
  const begins = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begins > 1) {
    throw new UserError(
      "SEVERAL_KEYS",
      `${source} has ${begins} PEM blocks, and a file holds one key`,
      label === "PUBLIC KEY"
        ? "write each key to a file of its own, and name them all: --public-key A.pem B.pem"
        : "leave only the private key in it",
    );
  }
  const block = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]{1,40})-----/.exec(text);
  if (block === null) throw unreadable("it has no PEM block");
  const [, begin, body = "", end] = block;
  if (begin !== end) throw unreadable(`its block begins as ${begin} and ends as ${end}`);
  if (begin === "ENCRYPTED PRIVATE KEY") throw unreadable("the key is encrypted, which is not supported");
  if (begin !== label) throw unreadable(`it holds a ${begin}`);
  try {
    return Uint8Array.fromBase64(body, { lastChunkHandling: "strict" });
  } catch {
    throw unreadable("its base64 is damaged");
  }
}
