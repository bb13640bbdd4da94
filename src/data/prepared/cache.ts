/** The cache of prepared corpora: a folder each, named for its digest, whole or not there. */
import { UserError } from "../../errors.ts";
import { DENO_FILES, removeTree, renameFolder } from "../../files/deno_file_system.ts";
import { folderOf, makeFolderDurably, writeFileDurably } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { filesWithin, requireNoLinks } from "../../files/files_within.ts";
import { readFileBounded } from "../../files/read_file.ts";
import { openRegular } from "../../files/open_regular.ts";
import type { Ingredients } from "../text_ingredients.ts";
import type { DataProgress } from "../options.ts";
import { inspectPrepared, type PreparedManifest, type PreparedState } from "./manifest.ts";
import { prepare } from "./prepare.ts";
import { PROGRESS_FILE } from "./staging_progress.ts";

/** A mark is not read beyond this size, in bytes. */
const MAX_MARK_BYTES = 1 << 20;

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

/** Hashes the files of a copy once: until one of them changes, by its size, time or place, they are those that were hashed. */
async function inspect(
  ingredients: Ingredients,
  folder: string,
  onProgress: (progress: DataProgress) => void,
): Promise<PreparedState> {
  let doneBytes = 0;
  const mark = `${folder}.verified`;
  const stamp = await stampOf(folder);
  const isVerified = stamp !== undefined && stamp === await readMark(mark);
  const state = await inspectPrepared(
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
    isVerified,
  );
  if (state.kind === "ready" && !isVerified && stamp !== undefined) {
    // Where it cannot be written, the files are hashed at the next start too.
    await writeFileDurably(mark, stamp, { files: filesWithin(folderOf(folder)) }).catch(() => {});
  }
  return state;
}

/** What the file system says of each file in a folder; undefined where it does not say enough to notice a change. */
async function stampOf(folder: string): Promise<string | undefined> {
  if ((await DENO_FILES.status(folder))?.kind !== "folder") return undefined;
  const lines: string[] = [];
  for (const name of await DENO_FILES.readFolder(folder)) {
    const status = await DENO_FILES.status(`${folder}/${name}`);
    if (status?.kind !== "file" || status.modifiedAt === undefined) return undefined;
    // Of the identity the inode: hosts number the device of a shared disk each in its own way.
    const inode = status.identity?.replace(/^.*:/, "") ?? "";
    lines.push(`${name} ${status.bytes} ${status.modifiedAt} ${inode}`);
  }
  return `${lines.join("\n")}\n`;
}

async function readMark(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await readFileBounded(path, MAX_MARK_BYTES));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function hasProgress(folder: string, files: FileSystem): Promise<boolean> {
  return await files.status(`${folder}/${PROGRESS_FILE}`).catch(() => undefined) !== undefined;
}
