/**
 * A download under way: the file at its full length with holes, and a log of the parts in it that are whole and on the
 * disk. A part is logged only after it is flushed, so that what the log says holds after a crash at any moment.
 */
import { AppendFile } from "../files/append_file.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { folderOf, makeFolderDurably, writeAll } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import type { FileHandle, FileSystem } from "../files/file_system.ts";
import { readFileBounded } from "../files/read_file.ts";

/** Bytes of a part: what a request fetches, and at most what an interruption costs each connection. */
export const PART_BYTES = 16 << 20;
const MAX_LOG_BYTES = 16 << 20;

/** A part of a file. */
export interface Part {
  readonly index: number;
  /** first byte, and the one after the last */
  readonly start: number;
  readonly end: number;
}

/** See above. One process at a time. */
export class PartialFile {
  readonly #done: Set<number>;
  /** bytes that have come of parts that are not whole */
  readonly #begun = new Map<number, number>();
  #doneBytes = 0;
  #begunBytes = 0;
  /** writes share one handle and its position: they take turns */
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    readonly bytes: number,
    readonly partBytes: number,
    private readonly handle: FileHandle,
    private readonly log: AppendFile,
    private readonly files: FileSystem,
    done: readonly number[],
  ) {
    this.#done = new Set(done);
    for (const index of this.#done) this.#doneBytes += this.#size(index);
  }

  /**
   * Opens what an earlier process left, or begins anew.
   *
   * @param path of the file with holes; its log is beside it, `.parts` after the name
   * @throws {UserError} if the disk does not allow it
   */
  static async open(
    path: string,
    bytes: number,
    partBytes: number = PART_BYTES,
    files: FileSystem = DENO_FILES,
  ): Promise<PartialFile> {
    await makeFolderDurably(folderOf(path), files);
    const header = `${bytes} bytes in parts of ${partBytes}\n`;
    const found = await readLog(path, header, Math.ceil(bytes / partBytes), files);
    const log = await AppendFile.open(`${path}.parts`, files);
    let handle: FileHandle | undefined;
    try {
      handle = await files.open(path, "update");
      const isThere = (await handle.status()).bytes === bytes;
      const done = isThere ? found?.done ?? [] : [];
      await handle.truncate(bytes);
      await handle.sync();
      if (found === undefined || !isThere) {
        await log.truncate(0);
        await log.append(new TextEncoder().encode(header));
      } else await log.truncate(found.length);
      await log.sync();
      await files.syncFolder(folderOf(path));
      return new PartialFile(path, bytes, partBytes, handle, log, files, done);
    } catch (error) {
      handle?.close();
      log.close();
      throw fileError(error, "write", path);
    }
  }

  /** Bytes that have come so far, from now on and before. */
  get received(): number {
    return this.#doneBytes + this.#begunBytes;
  }

  /** Parts that are not whole, in their order. */
  *missing(): Generator<Part, void> {
    for (const part of this.parts()) {
      if (!this.#done.has(part.index)) yield part;
    }
  }

  /** All parts. */
  *parts(): Generator<Part, void> {
    for (let index = 0; index * this.partBytes < this.bytes; index++) {
      const start = index * this.partBytes;
      yield { index, start, end: start + this.#size(index) };
    }
  }

  #size(index: number): number {
    return Math.min(this.partBytes, this.bytes - index * this.partBytes);
  }

  /** Writes bytes of one part; a part's bytes come in their order. */
  async write({ index, start }: Part, offset: number, bytes: Uint8Array): Promise<void> {
    const write = this.#turn.then(async () => {
      await this.handle.seek(offset);
      await writeAll(this.handle, bytes);
    });
    this.#turn = write.catch(() => {});
    try {
      await write;
    } catch (error) {
      throw fileError(error, "write", this.path);
    }
    if (this.#done.has(index)) return;
    const before = this.#begun.get(index) ?? 0;
    const now = Math.max(before, offset + bytes.length - start);
    this.#begun.set(index, now);
    this.#begunBytes += now - before;
  }

  /** Flushes a part whose bytes are all written, and logs it. */
  async finish({ index }: Part): Promise<void> {
    if (this.#done.has(index)) return;
    try {
      await this.handle.sync();
    } catch (error) {
      throw fileError(error, "flush", this.path);
    }
    await this.log.append(new TextEncoder().encode(`${index}\n`));
    await this.log.sync();
    this.#done.add(index);
    this.#doneBytes += this.#size(index);
    this.#begunBytes -= this.#begun.get(index) ?? 0;
    this.#begun.delete(index);
  }

  /** Forgets all that has come. */
  async restart(): Promise<void> {
    await this.log.truncate(0);
    await this.log.append(new TextEncoder().encode(`${this.bytes} bytes in parts of ${this.partBytes}\n`));
    await this.log.sync();
    this.#done.clear();
    this.#begun.clear();
    this.#doneBytes = this.#begunBytes = 0;
  }

  /** Ends the writing; the file and its log stay. */
  close(): void {
    this.handle.close();
    this.log.close();
  }

  /** Moves the file to its place, and removes the log. Call {@linkcode close} first. */
  async moveTo(path: string): Promise<void> {
    const folder = folderOf(path);
    await makeFolderDurably(folder, this.files);
    try {
      await this.files.rename(this.path, path);
      await this.files.syncFolder(folder);
      await this.files.remove(`${this.path}.parts`);
    } catch (error) {
      throw fileError(error, "write", path);
    }
  }

  /** Removes file and log. Call {@linkcode close} first. */
  async remove(): Promise<void> {
    try {
      await this.files.remove(`${this.path}.parts`);
      await this.files.remove(this.path);
    } catch (error) {
      throw fileError(error, "remove", this.path);
    }
  }
}

/** The parts that a log names, up to its first line that is not whole; `undefined` if it is none of this file's. */
async function readLog(
  path: string,
  header: string,
  parts: number,
  files: FileSystem,
): Promise<{ readonly done: readonly number[]; readonly length: number } | undefined> {
  if ((await files.status(`${path}.parts`)) === undefined) return undefined;
  const text = new TextDecoder().decode(await readFileBounded(`${path}.parts`, MAX_LOG_BYTES, files));
  if (!text.startsWith(header)) return undefined;
  const done: number[] = [];
  let length = header.length;
  for (const line of text.slice(header.length).split("\n").slice(0, -1)) {
    const index = Number(line);
    if (!/^\d+$/.test(line) || index >= parts) break;
    done.push(index);
    length += line.length + 1;
  }
  return { done, length };
}
