/** The certificates of timestamp authorities, or of those who certify them, that a verifier trusts. */
import { Certificate } from "pkijs";
import { UserError } from "../errors.ts";

const MAX_ROOTS = 64;

/**
 * Reads certificates in PEM; each is returned in DER.
 *
 * @param text of the file; what stands between certificates is ignored, as OpenSSL does
 * @param path for messages
 * @throws {UserError} `BAD_CERTIFICATES`
 */
export function parseRoots(text: string, path: string): Uint8Array<ArrayBuffer>[] {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0 || blocks.length > MAX_ROOTS) {
    throw new UserError(
      "BAD_CERTIFICATES",
      `"${path}" has ${blocks.length} certificates in PEM`,
      `expected 1 to ${MAX_ROOTS}: those of the timestamp authority's root`,
    );
  }
  return blocks.map(([, body = ""], index) => {
    try {
      const der = Uint8Array.fromBase64(body.replaceAll(/\s/g, ""));
      Certificate.fromBER(der);
      return der;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(
        "BAD_CERTIFICATES",
        `Certificate ${index + 1} of "${path}" cannot be read, ${reason}`,
        "expected X.509 in PEM",
      );
    }
  });
}
