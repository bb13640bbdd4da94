/** Files of a repository into the cache: those that are missing, checked against their digests. */
import { createHash } from "node:crypto";
import type { Digest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { makeReadOnly } from "../files/deno_file_system.ts";
import { makeFolderDurably } from "../files/durable.ts";
import { digestFile } from "../files/file_digest.ts";
import { HubCache } from "./cache.ts";
import type { HubConnection } from "./connection.ts";
import { freeBytes, requireSpace } from "./disk_space.ts";
import type { HubFile, PinnedFile } from "./listing.ts";
import { PART_BYTES, PartialFile } from "./partial_file.ts";
import { fileAddress, type Repository } from "./repository.ts";
import { eachOf } from "./slots.ts";
import { transfer } from "./transfer.ts";

/** A file in the cache. */
export interface CachedFile extends PinnedFile {
  /** where it lies */
  readonly local: string;
}

/** How far a download is. */
export interface DownloadProgress {
  /** of all files together, what was there already included */
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly totalFiles: number;
  /** the file that moved, and what is done with it */
  readonly path: string;
  readonly stage: "cached" | "wait" | "download" | "verify" | "done";
}

/** Options of {@linkcode download}. */
export interface DownloadOptions {
  readonly cache?: HubCache;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** bytes free on the cache's disk; asked of the system if not given */
  readonly freeBytes?: number;
  /** hash the files that are there already, and download damaged ones again */
  readonly verify?: boolean;
  /** bytes of a part, 16 MiB if not given */
  readonly partBytes?: number;
}

/**
 * Downloads files that the cache does not have. What was interrupted resumes where it stopped.
 *
 * @returns the files in the order given
 * @throws {UserError} `NO_SPACE` before anything is fetched, `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `HUB_UNREACHABLE`,
 * and as the connection throws
 */
export async function download(
  connection: HubConnection,
  repository: Repository,
  files: readonly (HubFile | PinnedFile)[],
  options: DownloadOptions = {},
): Promise<CachedFile[]> {
  const { cache = new HubCache(), signal, onProgress = () => {}, partBytes = PART_BYTES } = options;
  const results: (CachedFile | undefined)[] = files.map(() => undefined);
  const received = files.map(() => 0);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneFiles = 0, doneBytes = 0;
  const report = (index: number, bytes: number, stage: DownloadProgress["stage"]) => {
    doneBytes += bytes - (received[index] ?? 0);
    received[index] = bytes;
    if (stage === "cached" || stage === "done") doneFiles++;
    const path = files[index]?.path ?? "";
    onProgress({ doneBytes, totalBytes, doneFiles, totalFiles: files.length, path, stage });
  };

  const missing: number[] = [];
  for (const [index, file] of files.entries()) {
    let local = file.sha256 === undefined ? undefined : await cache.find(file.sha256, file.bytes);
    if (options.verify === true && local !== undefined && file.sha256 !== undefined) {
      await cache.removeDamaged(file.sha256, signal);
      local = await cache.find(file.sha256, file.bytes);
    }
    if (local === undefined || file.sha256 === undefined) missing.push(index);
    else {
      results[index] = { path: file.path, bytes: file.bytes, sha256: file.sha256, local };
      report(index, file.bytes, "cached");
    }
  }
  if (missing.length > 0) {
    await makeFolderDurably(cache.folder);
    const needed = missing.reduce((sum, index) => sum + (files[index]?.bytes ?? 0), 0);
    const begun = await begunBytes(cache, missing.map((index) => files[index]));
    requireSpace(cache.folder, needed - begun, options.freeBytes ?? await freeBytes(cache.folder));
  }

  await eachOf(missing, connection.connections, async (index, stop) => {
    const file = files[index];
    if (file === undefined) return;
    const key = file.sha256 ?? ("gitBlob" in file ? file.gitBlob : "");
    const fetchFile = async (): Promise<CachedFile> => {
      const { path, bytes } = file;
      const found = file.sha256 === undefined ? undefined : await cache.find(file.sha256, bytes);
      if (found !== undefined && file.sha256 !== undefined) return { path, bytes, sha256: file.sha256, local: found };
      const partial = await PartialFile.open(cache.partialPathOf(key), bytes, partBytes, cache.files);
      try {
        const address = fileAddress(connection.endpoint, repository, path);
        report(index, partial.received, "download");
        await transfer(connection, address, partial, () => report(index, partial.received, "download"), stop);
      } finally {
        partial.close();
      }
      report(index, bytes, "verify");
      const sha256 = await verified(partial, file, stop);
      const local = cache.pathOf(sha256);
      await partial.moveTo(local);
      // Read-only: it is shared, and its name says what is in it.
      await makeReadOnly(local);
      return { path, bytes, sha256, local };
    };
    results[index] = await cache.exclusively(key, fetchFile, () => report(index, 0, "wait"), stop);
    report(index, file.bytes, "done");
  }, signal);
  return results.filter((result) => result !== undefined);
}

/** Bytes on the disk of what an earlier process began. */
async function begunBytes(cache: HubCache, files: readonly (HubFile | PinnedFile | undefined)[]): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    if (file?.sha256 === undefined) continue;
    // The file has holes: only its blocks take room.
    const status = await Deno.stat(cache.partialPathOf(file.sha256)).catch(() => undefined);
    bytes += Math.min(512 * (status?.blocks ?? 0), file.bytes);
  }
  return bytes;
}

/** @throws {UserError} `DIGEST_MISMATCH`, with what was downloaded removed */
async function verified(partial: PartialFile, file: HubFile | PinnedFile, signal: AbortSignal): Promise<Digest> {
  // Git hashes its own header first: the kind of the object and its length.
  const blob = createHash("sha1").update(`blob ${file.bytes}\0`);
  const hasDigest = file.sha256 !== undefined;
  const found = await digestFile(partial.path, {
    signal,
    onBytes: hasDigest ? undefined : (bytes) => blob.update(bytes),
  });
  const [actual, expected] = hasDigest
    ? [found, file.sha256]
    : [blob.digest("hex"), "gitBlob" in file ? file.gitBlob : ""];
  if (actual === expected) return found;
  await partial.remove();
  throw new UserError(
    "DIGEST_MISMATCH",
    `"${file.path}" as downloaded has the ${
      hasDigest ? "SHA-256" : "Git digest"
    } ${actual}, but ${expected} is expected`,
    "it was removed; give the same command again, and if it comes again the hub or the way to it cannot be trusted",
  );
}
