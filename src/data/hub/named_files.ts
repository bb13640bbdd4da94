/** Downloaded files under names that tell what they hold, beside the cache that keeps them under their digests. */
import { UserError } from "../../errors.ts";
import { nameAgain } from "../../files/deno_file_system.ts";
import { folderOf, makeFolderDurably } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { HubCache } from "../../hub/cache.ts";
import type { CachedFile } from "../../hub/download.ts";
import type { PinnedFile } from "../../hub/listing.ts";
import { repositoryId } from "../../hub/repository.ts";
import { isValidationFile } from "./file_choice.ts";
import type { LockedRepository } from "./lock.ts";

/**
 * Where a file of a locked repository gets its name. Validation files get `.val.` in it, by which
 * {@linkcode openCorpora} knows them.
 */
export function namedPath(cache: HubCache, { id, pin }: Pick<LockedRepository, "id" | "pin">, path: string): string {
  const marked = isValidationFile(path) ? path.replace(/(\.jsonl(\.zst)?|\.txt|\.parquet)$/, ".val$1") : path;
  return `${cache.folder}/${id}/${pin.revision.slice(0, 12)}/${marked}`;
}

/**
 * Gives downloaded files their names, by hard links, which take no room.
 *
 * @returns the paths in the order of the files
 * @throws {UserError} if the file system has no hard links or cannot be written
 */
export async function nameFiles(
  cache: HubCache,
  locked: LockedRepository,
  files: readonly CachedFile[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const { path, local } of files) {
    const named = namedPath(cache, locked, path);
    await makeFolderDurably(folderOf(named), cache.files);
    try {
      if ((await cache.files.status(named)) !== undefined) await cache.files.remove(named);
      await nameAgain(local, named);
    } catch (error) {
      throw fileError(error, "link", named);
    }
    paths.push(named);
  }
  return paths;
}

/** Which of some files the cache has. */
export async function cachedFiles(cache: HubCache, files: readonly PinnedFile[]): Promise<CachedFile[]> {
  const found: CachedFile[] = [];
  for (const file of files) {
    const local = await cache.find(file.sha256, file.bytes);
    if (local !== undefined) found.push({ ...file, local });
  }
  return found;
}

/** Bytes of the files that a cache has nothing of, neither whole nor begun: at least these are still to come. */
export async function untouchedBytes(cache: HubCache, files: readonly PinnedFile[]): Promise<number> {
  let untouched = 0;
  for (const { sha256, bytes } of files) {
    if (await cache.find(sha256, bytes) !== undefined) continue;
    if (await cache.files.status(cache.partialPathOf(sha256)) === undefined) untouched += bytes;
  }
  return untouched;
}

/** @throws {UserError} `DATA_NOT_FETCHED` if a file is not there at its full length */
export async function requireFetched(
  cache: HubCache,
  locked: LockedRepository,
  files: readonly PinnedFile[],
): Promise<void> {
  let missing = 0;
  for (const { path, bytes } of files) {
    if ((await cache.files.status(namedPath(cache, locked, path)))?.bytes !== bytes) missing++;
  }
  if (missing === 0 && files.length > 0) return;
  throw new UserError(
    "DATA_NOT_FETCHED",
    `${missing} of ${files.length} files of "${repositoryId(locked.repository)}" are not here`,
    'run "deno task data fetch --scale NAME" first',
  );
}
