/** How the verifier reads artefacts, wherever they are: from a folder, or over HTTP in a page. */
import { createSha256, type Digest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";

/** Reads artefacts by the names of the manifest's subjects. */
export interface ArtefactReader {
  /**
   * The bytes of an artefact in pieces, each the caller's to keep.
   *
   * @throws {UserError} `FILE_NOT_FOUND` if it is not there; others if it cannot be read
   */
  open(name: string): AsyncIterable<Uint8Array>;
}

/** SHA-256 of a stream. */
export async function digestStream(chunks: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hasher = await createSha256();
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.finish();
}

/** All bytes of a stream, if they are not too many. */
export async function collectBounded(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes) {
      throw new UserError("FILE_TOO_LARGE", `"${name}" has more than ${maxBytes} bytes`, "it is not what it should be");
    }
    pieces.push(chunk);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
