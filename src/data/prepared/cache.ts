/** The cache of prepared corpora: a folder each, named for its digest, whole or not there. */
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { folderOf, makeFolderDurably } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { Ingredients } from "../ingredients.ts";
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
 * `onProgress` is told, and one that was interrupted is gone on with. Of several processes one prepares and the others
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
  try {
    const found = await inspect(ingredients, folder, onProgress);
    if (found.kind === "ready") return { folder, manifest: found.manifest };
    await makeFolderDurably(cacheFolder);
    // The system frees the lock when this process ends, however it ends. The empty file stays.
    using lock = await Deno.open(`${folder}.lock`, {
      write: true,
      create: true,
    });
    await lock.lock(true);
    return {
      folder,
      manifest: await prepareLocked(ingredients, folder, onProgress),
    };
  } catch (error) {
    throw fileError(error, "prepare the data in", folder);
  }
}

async function prepareLocked(
  ingredients: Ingredients,
  folder: string,
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
    await Deno.mkdir(partial, { recursive: true });
    await prepare(ingredients, partial, { onProgress });
    await DENO_FILES.syncFolder(partial);
    await removeFolder(folder);
    await Deno.rename(partial, folder);
    await DENO_FILES.syncFolder(folderOf(folder));
  } catch (error) {
    // Sources that were refused give nothing to go on with: put right, they are another corpus.
    if (error instanceof UserError || !await hasProgress(partial)) await removeFolder(partial);
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

function hasProgress(folder: string): Promise<boolean> {
  return Deno.stat(`${folder}/${PROGRESS_FILE}`).then(() => true, () => false);
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
