/** A staging file with the digest of what it holds, so that preparing can go on with it after an interruption. */
import { createSha256, type Sha256 } from "../../digest/sha256.ts";
import { ByteWriter } from "../../formats/megatron/byte_writer.ts";
import { checkFile, type PreparedFile } from "./manifest.ts";

/** A file that grows at its end. */
export class StagedFile {
  readonly #digest: Sha256;
  readonly #writer: ByteWriter;

  private constructor(readonly path: string, digest: Sha256, kept?: number) {
    this.#digest = digest;
    this.#writer = new ByteWriter(path, (bytes) => digest.update(bytes), kept);
  }

  /** A new file, which must not exist yet. */
  static async create(path: string): Promise<StagedFile> {
    return new StagedFile(path, await createSha256());
  }

  /** Goes on with a file that begins as recorded; null if it does not. */
  static async resume(path: string, recorded: PreparedFile): Promise<StagedFile | null> {
    const digest = await createSha256();
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
