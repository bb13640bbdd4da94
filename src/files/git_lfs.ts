/**
 * What Git leaves in place of large files whose contents were not fetched: a few lines of text under the file's own name,
 * or a link to nothing. Read as what the name promises they are damaged weights, odd JSON, or a text to train on.
 *
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 * @see https://git-annex.branchable.com/internals/pointer_file/
 */
import { UserError } from "../errors.ts";

/** Git LFS writes and takes shorter files only; those of git-annex are one path. */
export const MAX_POINTER_BYTES = 1023;

/** The present address of the specification, and two that Git LFS still takes. */
const LFS_VERSION =
  /^\s*version (?:https:\/\/git-lfs\.github\.com\/spec\/v1|https:\/\/hawser\.github\.com\/spec\/v1|http:\/\/git-media\.io\/v\/2)\r?\n/;
const LFS_OID = /\noid sha256:[0-9a-f]{64}\s/;
/** `/annex/objects/KEY`, or what a link to one became where there are none. */
const ANNEX = /^(?:(?:\.\.\/)*\.git)?\/annex\/objects\/\S+\s*$/;

/**
 * Refuses a pointer.
 *
 * @param content the whole file, if it has at most {@linkcode MAX_POINTER_BYTES} bytes
 * @param path of the file, for the message
 * @throws {UserError} `GIT_LFS_POINTER`, `GIT_ANNEX_POINTER`
 */
export function refusePointer(content: Uint8Array, path: string): void {
  if (content.length > MAX_POINTER_BYTES) return;
  const text = new TextDecoder().decode(content);
  if (LFS_VERSION.test(text) && LFS_OID.test(`${text}\n`)) {
    const size = /\nsize (\d{1,15})\s/.exec(`${text}\n`)?.[1];
    throw new UserError(
      "GIT_LFS_POINTER",
      `"${path}" is a Git LFS pointer, not the file`,
      'run "git lfs pull" in its repository, where Git LFS is installed, or download the file' +
        (size === undefined ? "" : ` of ${size} bytes`) + " itself",
    );
  }
  if (ANNEX.test(text)) {
    throw new UserError(
      "GIT_ANNEX_POINTER",
      `"${path}" is a pointer of git-annex, not the file`,
      'run "git annex get" in its repository',
    );
  }
}

/** The error for a link that leads to nothing, as git-annex leaves it, and caches of downloads that were emptied. */
export function brokenLink(path: string, target: string): UserError {
  const isAnnexed = /(?:^|[/\\])annex[/\\]objects[/\\]/.test(target);
  return new UserError(
    "FILE_NOT_FOUND",
    `"${path}" is a link to "${target}", and there is no such file`,
    isAnnexed ? 'run "git annex get" in its repository' : "fetch again what it leads to, or give the path of the file",
  );
}
