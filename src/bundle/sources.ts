/** The files of a bundle, each checked against its digest while it is read. */
import type { TarSource } from "../formats/tar/tar_writer.ts";
import { createSha256, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import type { ArtefactFolder } from "../manifest/verify/artefacts.ts";
import type { Artefact } from "../manifest/format/run.ts";

/** A file whose bytes are at hand. */
export function memorySource(name: string, bytes: Uint8Array): TarSource {
  return {
    name,
    size: bytes.length,
    async *contents() {
      yield await Promise.resolve(bytes);
    },
  };
}

/**
 * A file beside the manifest, under the name that it gets in the archive.
 *
 * @throws {UserError} if it is missing or no regular file inside the folder; while it is read, `DIGEST_MISMATCH` if it
 * was changed
 */
export async function artefactSource(name: string, artefacts: ArtefactFolder, artefact: Artefact): Promise<TarSource> {
  return { name, size: await sizeOf(artefact, artefacts), contents: () => checked(artefact, artefacts) };
}

/** All but checkpoints were there a moment ago. */
async function sizeOf({ name }: Artefact, artefacts: ArtefactFolder): Promise<number> {
  try {
    return await artefacts.size(name);
  } catch (error) {
    if (!(error instanceof UserError && error.code === "FILE_NOT_FOUND")) throw error;
    throw new UserError(
      "FILE_NOT_FOUND",
      `"${printable(name)}" is not there`,
      "restore it, or choose checkpoints without it with --checkpoints",
      { cause: error },
    );
  }
}

async function* checked({ name, sha256: expected }: Artefact, artefacts: ArtefactFolder) {
  const hasher = await createSha256();
  for await (const chunk of artefacts.open(name)) {
    hasher.update(chunk);
    yield chunk;
  }
  const found = hasher.finish();
  if (found === expected) return;
  throw new UserError(
    "DIGEST_MISMATCH",
    `"${printable(name)}" was changed: its digest is ${shortDigest(found)}, and was ${shortDigest(expected)}`,
    "restore the file",
  );
}
