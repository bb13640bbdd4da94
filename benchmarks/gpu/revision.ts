/** Which state of the repository runs: from git, or from what pack.sh wrote down where git is not. */
import { z } from "zod";
import { askProgram } from "./processes.ts";

/** A commit, and whether files differ from it. */
const schema = z.strictObject({ commit: z.string(), modified: z.boolean() });
export type Revision = z.infer<typeof schema>;

/** What pack.sh leaves. */
export const REVISION_FILE = ".gpu/revision.json";

/** The state of the working folder. */
export async function readRevision(): Promise<Revision> {
  const commit = await askProgram("git", "rev-parse", "HEAD");
  if (commit !== undefined) {
    const changes = await askProgram("git", "status", "--porcelain");
    return { commit, modified: changes !== "" };
  }
  try {
    return schema.parse(JSON.parse(await Deno.readTextFile(REVISION_FILE)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { commit: "unknown", modified: true };
    throw error;
  }
}
