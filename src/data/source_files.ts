/** The user's files, whatever they hold: what their names say, and which digests they have. */
import { ownMember } from "../digest/own_member.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { requireDigest } from "./data_lock.ts";
import type { Settings, SourceDigest } from "./text_ingredients.ts";

/** In a file's name it marks what is for validation. */
export const VALIDATION_MARK = ".val.";

/** Bytes of a file; undefined if it is not there, which is reported when it is read. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const status = DENO_FILES.realPath(path).then((real) => DENO_FILES.status(real));
  return (await status.catch(() => undefined))?.bytes;
}

/** A file with its digest. */
export interface DigestedFile extends SourceDigest {
  /** where it is */
  readonly path: string;
}

/**
 * Reads files once, and holds their digests against the lockfile and against each other.
 *
 * @param inspect gives a file's digest, and reports the bytes of each piece that it reads
 * @param mayRepeat whether a file may have the content of another, asked of those that do; empty ones always may
 * @throws {UserError} `DIGEST_MISMATCH`, `DUPLICATE_SOURCE`, and as `inspect` throws
 */
export async function digestSources<File extends DigestedFile>(
  corpus: CorpusName,
  paths: readonly string[],
  { options, lock }: Settings,
  inspect: (path: string, onBytes: (bytes: number) => void) => Promise<File>,
  mayRepeat: (file: File) => boolean | Promise<boolean> = () => false,
): Promise<File[]> {
  let totalBytes = 0, doneBytes = 0;
  for (const path of paths) totalBytes += await sizeOf(path) ?? 0;
  const files: File[] = [];
  for (const path of paths) {
    const file = await inspect(path, (bytes) => {
      doneBytes += bytes;
      options.onProgress?.({ stage: "hash", corpus, doneBytes, totalBytes });
    });
    const pin = ownMember(lock.files, file.name);
    if (pin !== undefined) requireDigest(path, file.sha256, pin.sha256, lock.name);
    const twin = files.find(({ sha256 }) => sha256 === file.sha256);
    if (twin !== undefined && file.bytes > 0 && !await mayRepeat(file)) {
      throw new UserError(
        "DUPLICATE_SOURCE",
        `"${twin.path}" and "${path}" of the ${corpus} corpus have the same content`,
        "name it once",
      );
    }
    files.push(file);
  }
  return files;
}
