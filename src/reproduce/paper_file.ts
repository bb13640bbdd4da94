/** `experiments/paper.yaml`: the paper's facts, numbers and claims, with the digest that fixes them before a run. */
import { withLineFeeds } from "../digest/line_ends.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { EXPERIMENTS_FOLDER } from "../experiment/catalogue.ts";
import { fileError } from "../files/file_error.ts";
import { type Paper, parsePaper } from "../results/paper_schema.ts";

/** Name of the file in the repository. */
export const PAPER_FILE = "experiments/paper.yaml";

/** The file, read and checked. */
export interface PaperFile {
  /** with LF, whatever the checkout has */
  readonly text: string;
  readonly digest: Digest;
  readonly content: Paper;
}

/** @throws {UserError} if it cannot be read, or naming the entry that is not valid */
export async function loadPaper(): Promise<PaperFile> {
  let text: string;
  try {
    text = withLineFeeds(await Deno.readTextFile(new URL("paper.yaml", EXPERIMENTS_FOLDER)));
  } catch (error) {
    throw fileError(error, "read", PAPER_FILE);
  }
  return { text, digest: sha256(text), content: parsePaper(text, PAPER_FILE) };
}
