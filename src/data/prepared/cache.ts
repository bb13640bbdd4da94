/** The cache of prepared corpora: a folder each, named for its digest, whole or not there. */
import { UserError } from "../../errors.ts";
import { removeTree, renameFolder } from "../../files/deno_file_system.ts";
import { folderOf, makeFolderDurably } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { filesWithin, requireNoLinks } from "../../files/files_within.ts";
import { openRegular } from "../../files/open_regular.ts";
import type { Ingredients } from "../text_ingredients.ts";
import type { DataProgress } from "../options.ts";
import { inspectPrepared, type PreparedManifest, type PreparedState } from "./manifest.ts";
import { prepare } from "./prepare.ts";
import { PROGRESS_FILE } from "./staging_progress.ts";

/** A verified prepared corpus. */
export interface PreparedFolder {
  readonly folder: string;
  readonly manifest: PreparedManifest;
}

/**
 * Finds a prepared corpus in the cache and verifies its files, or makes it. A damaged one is made again, which
 * `onProgress` is told, and one that was interrupted is resumed. Of several processes one prepares and the others
 * wait for it.
 *
 * @throws {UserError} as the sources throw, or if the cache cannot be read or written
 */
export async function openPrepared(
  ingredients: Ingredients,
  cacheFolder: string,
  onProgress: (progress: DataProgress) => void,
): Promise<PreparedFolder> {
  const folder = `${cacheFolder}/${ingredients.preparedDigest}`;
  const files = filesWithin(cacheFolder);
  try {
    // What is not whole is removed with all that is in it, and a link would lead to somebody else's.
    for (const path of [folder, `${folder}.partial`]) await requireNoLinks(cacheFolder, path);
    const found = await inspect(ingredients, folder, onProgress);
    if (found.kind === "ready") return { folder, manifest: found.manifest };
    await makeFolderDurably(cacheFolder);
    // The system frees the lock when this process ends, however it ends. The empty file stays.
    using lock = await openRegular(`${folder}.lock`, "update");
    await lock.lock(true);
    return {
      folder,
      manifest: await prepareLocked(ingredients, folder, files, onProgress),
    };
  } catch (error) {
    throw fileError(error, "prepare the data in", folder);
  }
}

async function prepareLocked(
  ingredients: Ingredients,
  folder: string,
  files: FileSystem,
  onProgress: (progress: DataProgress) => void,
): Promise<PreparedManifest> {
  const found = await inspect(ingredients, folder, onProgress);
  if (found.kind === "ready") return found.manifest;
  if (found.kind === "damaged") {
    onProgress({
      stage: "rebuild",
      corpus: ingredients.name,
      reason: found.reason,
    });
  }
  const partial = `${folder}.partial`;
  try {
    await makeFolderDurably(partial, files);
    await prepare(ingredients, partial, { onProgress });
    await files.syncFolder(partial);
    await removeTree(folder);
    await renameFolder(partial, folder);
    await files.syncFolder(folderOf(folder));
  } catch (error) {
    // Sources that were refused give nothing to go on with: put right, they are another corpus.
    if (error instanceof UserError || !await hasProgress(partial, files)) await removeTree(partial);
    throw error;
  }
  const made = await inspect(ingredients, folder, onProgress);
  if (made.kind === "ready") return made.manifest;
  throw new Error(
    `The corpus just prepared cannot be read: ${made.kind === "damaged" ? made.reason : "it is gone"}`,
  );
}

function inspect(
  ingredients: Ingredients,
  folder: string,
  onProgress: (progress: DataProgress) => void,
): Promise<PreparedState> {
  let doneBytes = 0;
  return inspectPrepared(
    folder,
    ingredients.preparedDigest,
    (bytes, totalBytes) => {
      doneBytes += bytes;
      onProgress({
        stage: "verify",
        corpus: ingredients.name,
        doneBytes,
        totalBytes,
      });
    },
  );
}

async function hasProgress(folder: string, files: FileSystem): Promise<boolean> {
  return await files.status(`${folder}/${PROGRESS_FILE}`).catch(() => undefined) !== undefined;
}
