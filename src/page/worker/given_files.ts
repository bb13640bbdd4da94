/** What the reader gave, put where the verifier finds it. */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { MAX_MEMBERS } from "../../formats/tar/tar_format.ts";
import { MANIFEST_FILE } from "../../manifest/format/companions.ts";
import { find, makeFolder, place, remove } from "../platform/file_tree.ts";
import type { GivenFile } from "../protocol.ts";

/** Removes a folder of what was given before, and makes it anew. */
export function emptyFolder(folder: string): void {
  if (find(folder) !== undefined) remove(folder);
  makeFolder(folder);
}

/**
 * Puts files into a folder of the page's.
 *
 * @returns their paths
 * @throws {UserError} `FILE_TOO_LARGE` for too many, `UNSAFE_PATH` for a name that is none
 */
export function placeFiles(folder: string, files: readonly GivenFile[]): string[] {
  if (files.length > MAX_MEMBERS) {
    throw new UserError(
      "FILE_TOO_LARGE",
      `${files.length} files were given, and at most ${MAX_MEMBERS} are looked at`,
      "drop the manifest's own folder",
    );
  }
  emptyFolder(folder);
  return files.map(({ path, content }) => {
    if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
      throw new UserError("UNSAFE_PATH", `"${printable(path)}" is no name of a file`);
    }
    place(`${folder}/${path}`, content);
    return `${folder}/${path}`;
  });
}

/**
 * The one thing among files that is to be verified: the only file, be it a manifest or a bundle; or the folder of the
 * only manifest.
 *
 * @throws {UserError} `NO_MANIFEST` if there is none, or more than one
 */
export function manifestAmong(paths: readonly string[]): string {
  const [first] = paths;
  if (first === undefined) {
    throw new UserError("NO_MANIFEST", "Nothing was given", "drop a bundle, a folder or a manifest");
  }
  if (paths.length === 1) return first;
  const depth = (path: string) => path.split("/").length;
  const found = paths.filter((path) => path.endsWith(`/${MANIFEST_FILE}`)).sort((a, b) => depth(a) - depth(b));
  const [manifest, other] = found;
  if (manifest === undefined) {
    throw new UserError(
      "NO_MANIFEST",
      `There is no ${MANIFEST_FILE} among the ${paths.length} files`,
      "drop the folder that it lies in, or a bundle",
    );
  }
  if (other !== undefined && depth(other) === depth(manifest)) {
    throw new UserError(
      "NO_MANIFEST",
      `There are ${found.length} manifests in what was given`,
      "drop one folder at a time",
    );
  }
  return manifest.slice(0, -`/${MANIFEST_FILE}`.length);
}
