/** `progress.json`, beside the staging files: how far preparing came, so that it can resume. */
import { z } from "zod";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, isDigest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { filesWithin } from "../../files/files_within.ts";
import { readFileBounded } from "../../files/read_file.ts";
import { oddRowsSchema } from "../text/odd_rows.ts";
import { preparedSplit } from "./manifest.ts";
import { stagedRecord } from "./staged_split.ts";

/** Its name in the folder. */
export const PROGRESS_FILE = "progress.json";
/** As of the prepared corpus, which has the same names. */
const MAX_PROGRESS_BYTES = 1 << 23;

const part = z.union([z.strictObject({ staged: stagedRecord }), z.strictObject({ shuffled: preparedSplit })]);

const progressSchema = z.strictObject({
  digest: z.string().refine(isDigest),
  documents: z.int().nonnegative(),
  complete: z.boolean(),
  domains: z.array(z.strictObject({ name: z.string(), train: part, validation: part })),
  /** of the sources, where all documents are staged; absent if there are none */
  oddRows: oddRowsSchema.optional(),
});

/** A domain's split: in staging files, or already in its last place. */
export type PartProgress = z.infer<typeof part>;
/**
 * How far a corpus is: the first `documents` documents are staged, which are all if it is `complete`. Domains stand in
 * the order in which they first came.
 */
export type StagingProgress = z.infer<typeof progressSchema>;

/** Writes the progress, with its own digest: a wrong count would give a corpus that nobody could tell from a good one. */
export async function writeProgress(folder: string, progress: StagingProgress): Promise<void> {
  await writeFileDurably(`${folder}/${PROGRESS_FILE}`, format(progress), { files: filesWithin(folder) });
}

/** The progress of a corpus; null if there is none, or it is damaged or of another corpus. */
export async function readProgress(folder: string, digest: Digest): Promise<StagingProgress | null> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readFileBounded(`${folder}/${PROGRESS_FILE}`, MAX_PROGRESS_BYTES));
  } catch (error) {
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { data } = z.looseObject({ progress: progressSchema }).safeParse(value);
  if (data === undefined || format(data.progress) !== text) return null;
  return data.progress.digest === digest ? data.progress : null;
}

function format(progress: StagingProgress): string {
  return `${canonicalJson({ progress, sha256: sha256(canonicalJson(progress)) })}\n`;
}
