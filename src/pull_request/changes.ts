/** What a pull request touches: manifests and bundles among the names that `git diff --name-status -z` gives. */
import { UserError } from "../errors.ts";
import { MANIFEST_FILE } from "../manifest/format/companions.ts";

/** A file that is another than in the base branch. */
export interface Change {
  /** relative to the repository's root, as Git has it */
  readonly path: string;
  /** the base branch has it, and the pull request does not */
  readonly isDeleted: boolean;
}

/** A manifest or bundle to look at, relative to the repository's root. */
export interface Affected {
  readonly path: string;
  /** nothing is left to verify */
  readonly isRemoved: boolean;
}

/**
 * Reads what `git diff --name-status --no-renames -z` prints: a letter and a name in turns, each ended by a zero byte.
 *
 * @throws {UserError} `UNREADABLE_FILE` if it is something else
 */
export function parseChanges(text: string): Change[] {
  const fields = text.split("\0");
  if (fields.pop() !== "" || fields.length % 2 === 1) throw notChanges("it ends within an entry");
  const changes: Change[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [status = "", path = ""] = fields.slice(i, i + 2);
    if (!/^[AMDT]$/.test(status) || path === "") throw notChanges(`entry ${i / 2 + 1} has the status "${status}"`);
    changes.push({ path, isDeleted: status === "D" });
  }
  return changes;
}

function notChanges(reason: string): UserError {
  return new UserError(
    "UNREADABLE_FILE",
    `The list of changes is not one of Git's: ${reason}`,
    "write it by git diff --name-status --no-renames -z",
  );
}

/**
 * Manifests that a pull request adds, changes or removes, sorted: whatever changes below a manifest's folder may be
 * evidence of it, and every `.tar` is taken for a bundle.
 *
 * @param folder only what lies in it counts; empty for the whole repository
 * @param isThere whether the pull request or the base branch has a file
 */
export async function affectedManifests(
  changes: readonly Change[],
  folder: string,
  isThere: (side: "head" | "base", path: string) => Promise<boolean>,
): Promise<Affected[]> {
  const found = new Map<string, Affected>();
  const asked = new Map<string, Promise<Affected | undefined>>();
  const prefix = folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
  for (const { path, isDeleted } of changes.filter(({ path }) => path.startsWith(prefix))) {
    if (path.endsWith(".tar")) found.set(path, { path, isRemoved: isDeleted });
    const parts = path.split("/").slice(0, -1);
    for (let depth = parts.length; depth >= 0; depth--) {
      const manifest = [...parts.slice(0, depth), MANIFEST_FILE].join("/");
      if (!manifest.startsWith(prefix)) break;
      if (!asked.has(manifest)) asked.set(manifest, lookFor(manifest, isThere));
      const affected = await asked.get(manifest);
      if (affected !== undefined) found.set(manifest, affected);
    }
  }
  return [...found.values()].sort((a, b) => a.path < b.path ? -1 : 1);
}

async function lookFor(
  path: string,
  isThere: (side: "head" | "base", path: string) => Promise<boolean>,
): Promise<Affected | undefined> {
  if (await isThere("head", path)) return { path, isRemoved: false };
  return await isThere("base", path) ? { path, isRemoved: true } : undefined;
}
