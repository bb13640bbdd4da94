/** A file that only grows at its end, for journals; it can be cut back when a run is resumed. */
import { DENO_FILES } from "./deno_file_system.ts";
import { folderOf, makeFolderDurably, writeAll } from "./durable.ts";
import { fileError } from "./file_error.ts";
import type { FileHandle, FileSystem } from "./file_system.ts";

/**
 * An open append-only file. Bytes are safe from a crash only after {@linkcode AppendFile.sync}. A write that fails is
 * undone by cutting the file back, where the file system still allows it.
 */
export class AppendFile {
  #size: number;
  /** the file may be longer than `#size`: a write failed, and so did the cut after it */
  #isDirty = false;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    size: number,
  ) {
    this.#size = size;
  }

  /**
   * Opens a file at its end; makes it, and its folder, where they are missing.
   *
   * @throws {UserError} if it cannot be opened for writing
   */
  static async open(
    path: string,
    files: FileSystem = DENO_FILES,
  ): Promise<AppendFile> {
    const folder = folderOf(path);
    await makeFolderDurably(folder, files);
    try {
      const isNew = (await files.status(path)) === undefined;
      const handle = await files.open(path, "update");
      try {
        if (isNew) await files.syncFolder(folder);
        const { bytes } = await handle.status();
        await handle.seek(bytes);
        return new AppendFile(path, handle, bytes);
      } catch (error) {
        handle.close();
        throw error;
      }
    } catch (error) {
      throw fileError(error, "open", path);
    }
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#size;
  }

  /** @throws {UserError} if the disk is full or fails; the file then ends where it ended before */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#isDirty) await this.truncate(this.#size);
    try {
      this.#isDirty = true;
      await writeAll(this.handle, bytes);
      this.#size += bytes.length;
      this.#isDirty = false;
    } catch (error) {
      await this.truncate(this.#size).catch(() => {});
      throw fileError(error, "write", this.path);
    }
  }

  /** Returns when everything appended is on the disk. */
  async sync(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      throw fileError(error, "flush", this.path);
    }
  }

  /** Cuts the file to a size in bytes and appends from there. */
  async truncate(size: number): Promise<void> {
    try {
      await this.handle.truncate(size);
      await this.handle.seek(size);
      this.#size = size;
      this.#isDirty = false;
    } catch (error) {
      throw fileError(error, "cut", this.path);
    }
  }

  close(): void {
    this.handle.close();
  }
}
