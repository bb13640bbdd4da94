/** How the verifier reads artefacts, wherever they are: in a folder, in a bundle, or behind HTTP in a page. */
import { createSha256, type Digest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { collectBounded } from "../../files/collect_bounded.ts";

/** Reads artefacts by the names of the manifest's subjects. */
export interface ArtefactReader {
  /**
   * The bytes of an artefact in pieces, each the caller's to keep.
   *
   * @throws {UserError} `FILE_NOT_FOUND` if it is not there; others if it cannot be read
   */
  open(name: string): AsyncIterable<Uint8Array>;
  /**
   * What all names of one file have in common, so that it is hashed once; undefined if that is not known.
   *
   * @throws {UserError} as {@linkcode ArtefactReader.open}
   */
  identity?(name: string): Promise<string | undefined>;
  /** begins a SHA-256 by the platform's own code, where there is one; it is ten times as fast as WebAssembly's */
  createHash?(): { update(bytes: Uint8Array): void; finish(): Digest };
}

/** The files beside a manifest, those that it does not name included. */
export interface ArtefactFolder extends ArtefactReader {
  /**
   * Size in bytes.
   *
   * @throws {UserError} as {@linkcode ArtefactReader.open}
   */
  size(name: string): Promise<number>;
  /** Names of what lies in a folder in it, as {@linkcode ArtefactReader.open} takes them, sorted; none if it is not there. */
  list(folder: string): Promise<readonly string[]>;
}

/** SHA-256 of a stream, by the hash of the reader that it comes from. */
export async function digestStream(chunks: AsyncIterable<Uint8Array>, reader: ArtefactReader): Promise<Digest> {
  const hasher = reader.createHash?.() ?? await createSha256();
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.finish();
}

/**
 * All bytes of an artefact.
 *
 * @throws {UserError} `FILE_TOO_LARGE` if it has more than `maxBytes`, and what the reader throws
 */
export async function readArtefact(
  artefacts: ArtefactReader,
  name: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await collectBounded(
    artefacts.open(name),
    maxBytes,
    () => new UserError("FILE_TOO_LARGE", `"${name}" has more than ${maxBytes} bytes`, "it is not what it should be"),
  );
}
