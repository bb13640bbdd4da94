/** Verification of one manifest of a pull request, and its comparison with that of the base branch. */
import { verifyByWords } from "../cli/commands/verify.ts";
import type { Verified } from "../cli/verification.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { diffManifests, type ManifestDiff } from "../retrain/diff.ts";
import type { Affected } from "./changes.ts";

/** Where the two sides are checked out, through no link. */
export interface Sides {
  readonly head: string;
  readonly base: string;
}

/** What became of a manifest. */
export interface Review {
  readonly path: string;
  readonly verdict: "verified" | "failed" | "could not check" | "removed";
  /** absent where it came to none */
  readonly verified?: Verified;
  /** why it came to none; without final stop */
  readonly reason?: string;
  /** against the base branch: what differs, or why nothing was compared */
  readonly comparison: ManifestDiff | string;
}

/**
 * Looks at a manifest.
 *
 * @param words of `verify`, besides the path
 * @returns undefined when it was interrupted
 */
export async function reviewManifest(
  { path, isRemoved }: Affected,
  sides: Sides,
  words: readonly string[],
): Promise<Review | undefined> {
  if (isRemoved) return { path, verdict: "removed", comparison: "removed by this pull request" };
  const comparison = "not compared";
  const head = `${sides.head}/${path}`;
  try {
    if (await DENO_FILES.realPath(head) !== head) {
      return { path, verdict: "failed", reason: "it is reached through a link", comparison };
    }
    const { verified } = await verifyByWords([...words, "--", head]);
    if (verified === undefined) return undefined;
    const { verdict } = verified.report;
    return { path, verdict, verified, comparison: await compare(`${sides.base}/${path}`, head) };
  } catch (error) {
    if (!(error instanceof UserError || error instanceof Deno.errors.NotFound)) throw error;
    return { path, verdict: "could not check", reason: error.message, comparison };
  }
}

async function compare(base: string, head: string): Promise<ManifestDiff | string> {
  if (await DENO_FILES.status(base) === undefined) return "new: the base branch has none at this path";
  try {
    return await diffManifests(base, head);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
