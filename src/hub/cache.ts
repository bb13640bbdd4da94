/**
 * The cache of downloads, shared by all that is downloaded and by all processes: each file under its SHA-256, whole and
 * checked or not there.
 */
import type { Digest } from "../digest/sha256.ts";
import { digestFile } from "../files/file_digest.ts";
import { makeFolderDurably } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import { filesWithin } from "../files/files_within.ts";
import { pause } from "./retry.ts";

/** Where downloads are kept if the caller does not say. */
export const HUB_CACHE_FOLDER = ".cache/hub";
/** Milliseconds between two looks at a lock that another process holds. */
const LOCK_INTERVAL = 200;

/** A folder of downloads. */
export class HubCache {
  /** those below the folder, none of them reached through a link */
  readonly files: FileSystem;

  constructor(readonly folder: string = HUB_CACHE_FOLDER) {
    this.files = filesWithin(folder);
  }

  /** Where a file is, or will be. */
  pathOf(digest: Digest): string {
    return `${this.folder}/sha256/${digest.slice(0, 2)}/${digest}`;
  }

  /** Where a file is that is on its way. */
  partialPathOf(key: string): string {
    return `${this.folder}/partial/${key}`;
  }

  /** The path of a file that is there at its full length; it was checked when it came. */
  async find(digest: Digest, bytes: number): Promise<string | undefined> {
    const path = this.pathOf(digest);
    try {
      const status = await this.files.status(path);
      return status?.kind === "file" && status.bytes === bytes ? path : undefined;
    } catch (error) {
      throw fileError(error, "read", path);
    }
  }

  /** Removes a file if its bytes are not those of its name any more. */
  async removeDamaged(digest: Digest, signal?: AbortSignal): Promise<void> {
    const path = this.pathOf(digest);
    const found = await digestFile(path, { files: this.files, signal });
    if (found !== digest) await this.files.remove(path);
  }

  /**
   * Calls `use` while no other process downloads the same file. The system frees the lock when a process ends.
   *
   * @param key a digest in hexadecimal digits; few files share a lock, so that there are not as many locks as files
   * @param onWait called once if another holds it
   */
  async exclusively<T>(key: string, use: () => Promise<T>, onWait: () => void, signal?: AbortSignal): Promise<T> {
    const folder = `${this.folder}/locks`;
    await makeFolderDurably(folder, this.files);
    const path = `${folder}/${key.slice(0, 3)}`;
    try {
      const handle = await this.files.open(path, "update");
      try {
        for (let looks = 0; !await handle.tryLock(); looks++) {
          if (looks === 1) onWait();
          await pause(LOCK_INTERVAL, signal);
        }
        return await use();
      } finally {
        handle.close();
      }
    } catch (error) {
      throw fileError(error, "lock", path);
    }
  }
}
