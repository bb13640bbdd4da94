/** A staging file with the digest of what it holds, so that preparing can go on with it after an interruption. */
import { createFileHash, type RunningHash } from "../../files/file_digest.ts";
import { ByteWriter } from "../../formats/megatron/byte_writer.ts";
import { checkFile, type PreparedFile } from "./manifest.ts";

/** A file that grows at its end. */
export class StagedFile {
  readonly #digest: RunningHash;
  readonly #writer: ByteWriter;

  private constructor(readonly path: string, digest: RunningHash, kept?: number) {
    this.#digest = digest;
    this.#writer = new ByteWriter(path, (bytes) => digest.update(bytes), kept);
  }

  /** A new file, which must not exist yet. */
  static create(path: string): StagedFile {
    return new StagedFile(path, createFileHash());
  }

  /** Goes on with a file that begins as recorded; null if it does not. */
  static async resume(path: string, recorded: PreparedFile): Promise<StagedFile | null> {
    const digest = createFileHash();
    const range = { offset: 0, size: recorded.bytes };
    const problem = await checkFile(path, recorded, (bytes) => digest.update(bytes), range);
    return problem === null ? new StagedFile(path, digest, recorded.bytes) : null;
  }

  write(bytes: Uint8Array): void {
    this.#writer.write(bytes);
  }

  /** Brings everything to the disk, and says what the file now holds. */
  record(): PreparedFile {
    this.#writer.sync();
    return { bytes: this.#writer.bytes, sha256: this.#digest.peek() };
  }

  finish(): void {
    this.#writer.finish(false);
  }

  /** Closes the file as it is, after an error. */
  close(): void {
    this.#writer.close();
  }
}
