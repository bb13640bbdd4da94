/** Artefacts in a folder on disk. */
import type { Digest } from "../../digest/sha256.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { createFileHash } from "../../files/file_digest.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readChunks } from "../../files/read_file.ts";
import { resolveInside } from "../../files/safe_path.ts";
import { type ArtefactFolder, digestStream } from "./artefacts.ts";

/** Reads regular files inside a folder, and nothing outside it whatever the names say. */
export function folderArtefacts(folder: string, files: FileSystem = DENO_FILES): ArtefactFolder {
  const statusOf = async (name: string) => {
    const path = await resolveInside(folder, name, files);
    try {
      return await files.status(path);
    } catch (error) {
      throw fileError(error, "read", path);
    }
  };
  return {
    createHash: createFileHash,
    async *open(name) {
      yield* readChunks(await resolveInside(folder, name, files), files);
    },
    identity: async (name) => (await statusOf(name))?.identity,
    size: async (name) => (await statusOf(name))?.bytes ?? 0,
    async list(inner) {
      const path = `${folder}/${inner}`;
      try {
        if ((await files.status(path))?.kind !== "folder") return [];
        return (await files.readFolder(path)).map((name) => `${inner}/${name}`);
      } catch (error) {
        throw fileError(error, "read", path);
      }
    },
  };
}

/**
 * Names and digests of artefacts, for the subjects of a statement.
 *
 * @param names relative to the folder, parts separated by `/`
 * @param known digests that were taken a moment ago, by name
 * @throws {UserError} if a file is missing or cannot be read
 */
export async function digestArtefacts(
  folder: string,
  names: readonly string[],
  files: FileSystem = DENO_FILES,
  known: ReadonlyMap<string, Digest> = new Map(),
): Promise<{ name: string; sha256: Digest }[]> {
  const reader = folderArtefacts(folder, files);
  const digests: { name: string; sha256: Digest }[] = [];
  for (const name of names) {
    digests.push({ name, sha256: known.get(name) ?? await digestStream(reader.open(name), reader) });
  }
  return digests;
}
