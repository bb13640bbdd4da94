/** Artefacts in a bundle: a tar archive that is read where it lies, and never unpacked. */
import { readTarIndex } from "../../formats/tar/tar_index.ts";
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { createFileHash } from "../../files/file_digest.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readChunks } from "../../files/read_file.ts";
import { printable } from "../../files/safe_name.ts";
import type { ArtefactFolder } from "./artefacts.ts";

/** The files of a bundle. */
export interface BundleArtefacts extends ArtefactFolder {
  /** of all files, sorted, without the one folder that they stand in */
  readonly names: readonly string[];
}

/**
 * Opens a bundle.
 *
 * @throws {UserError} `BAD_ARCHIVE` if it is none, or its files stand in more than one folder
 */
export async function bundleArtefacts(path: string, files: FileSystem = DENO_FILES): Promise<BundleArtefacts> {
  const index = await readTarIndex(path, files);
  const [first = ""] = index.keys();
  const folder = first.slice(0, first.indexOf("/") + 1);
  const stranger = index.keys().find((name) => folder === "" || !name.startsWith(folder));
  if (stranger !== undefined) {
    throw new UserError(
      "BAD_ARCHIVE",
      `"${path}" is not a bundle that rewarm wrote, "${
        printable(stranger)
      }" does not stand in one folder with the rest`,
      "look at its contents before you unpack it",
    );
  }
  const names = [...index.keys()].map((name) => name.slice(folder.length));
  const find = (name: string) => {
    const range = index.get(folder + name);
    if (range === undefined) {
      throw new UserError("FILE_NOT_FOUND", `"${printable(name)}" is not in the bundle "${path}"`);
    }
    return range;
  };
  return {
    names,
    createHash: createFileHash,
    async *open(name) {
      yield* readChunks(path, files, find(name));
    },
    size: (name) => Promise.resolve().then(() => find(name).size),
    list: (inner) => Promise.resolve(names.filter((name) => name.slice(0, name.lastIndexOf("/") + 1) === `${inner}/`)),
  };
}
