/** Where the files of an archive stand in it. Accepts what `tarBytes` writes, byte for byte, and nothing else. */
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileHandle, FileSystem } from "../../files/file_system.ts";
import type { FileRange } from "../../files/read_file.ts";
import { foldName, printable } from "../../files/safe_name.ts";
import { BLOCK_BYTES, END_BYTES, MAX_MEMBERS, paddingAfter } from "./tar_format.ts";
import { HeaderFlaw, readMemberHeader } from "./tar_header.ts";

/**
 * Reads the headers of an archive, and looks at every byte that is no file's content.
 *
 * @returns the files by name, in their order, which is that of their names
 * @throws {UserError} `BAD_ARCHIVE` if it is not what rewarm writes, naming the entry and the reason
 */
export async function readTarIndex(path: string, files: FileSystem = DENO_FILES): Promise<Map<string, FileRange>> {
  try {
    const handle = await files.open(path, "read");
    try {
      return await new IndexReader(path, handle, (await handle.status()).bytes).read();
    } finally {
      handle.close();
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

class IndexReader {
  readonly #index = new Map<string, FileRange>();
  readonly #folded = new Set<string>();
  #last = "";
  #entry = 0;

  constructor(private readonly path: string, private readonly handle: FileHandle, private readonly bytes: number) {}

  async read(): Promise<Map<string, FileRange>> {
    let offset = 0;
    while (!await this.#isEnd(offset)) {
      this.#entry++;
      if (this.#entry > MAX_MEMBERS) this.#refuse(`it holds more than ${MAX_MEMBERS} files`);
      offset = await this.#readEntry(offset);
    }
    if (this.#entry === 0) this.#refuse("it is empty");
    return this.#index;
  }

  #refuse(reason: string): never {
    throw new UserError(
      "BAD_ARCHIVE",
      `"${this.path}" is not a bundle that rewarm wrote, ${reason}`,
      'only those are read: look into it with "tar tvf", unpack it in an empty folder, and verify what comes out',
    );
  }

  #refuseEntry(reason: string, name?: string): never {
    const shown = name === undefined ? "" : ` "${printable(name)}"`;
    return this.#refuse(`entry ${this.#entry}${shown} ${reason}`);
  }

  /** Exactly so many bytes. */
  async #bytesAt(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.bytes) this.#refuse("it is cut off");
    const bytes = new Uint8Array(length);
    await this.handle.seek(offset);
    for (let done = 0; done < length;) {
      const count = await this.handle.read(bytes.subarray(done));
      if (count === null) this.#refuse("it is cut off");
      done += count;
    }
    return bytes;
  }

  /** Whether the blocks that end an archive stand here; nothing may follow them. */
  async #isEnd(offset: number): Promise<boolean> {
    const block = await this.#bytesAt(offset, BLOCK_BYTES);
    if (block.some((byte) => byte !== 0)) return false;
    const rest = this.bytes - offset;
    if (rest < END_BYTES) this.#refuse("it is cut off");
    const end = await this.#bytesAt(offset, END_BYTES);
    if (rest > END_BYTES || end.some((byte) => byte !== 0)) this.#refuse("something follows its end");
    return true;
  }

  /** @returns where the next entry begins */
  async #readEntry(offset: number): Promise<number> {
    const { name, size, headerBytes } = await this.#readHeader(offset);
    const start = offset + headerBytes;
    const end = start + size;
    if (end > this.bytes) {
      this.#refuseEntry(`has ${size} bytes, and the archive ends ${this.bytes - start} bytes after its header`, name);
    }
    const folded = foldName(name);
    if (this.#folded.has(folded)) this.#refuseEntry("stands twice", name);
    if (name <= this.#last) this.#refuseEntry("is not in the order of the names", name);
    const padding = await this.#bytesAt(end, paddingAfter(size));
    if (padding.some((byte) => byte !== 0)) this.#refuseEntry("is followed by bytes that belong to nothing", name);
    this.#folded.add(folded);
    this.#last = name;
    this.#index.set(name, { offset: start, size });
    return end + padding.length;
  }

  async #readHeader(offset: number) {
    try {
      return await readMemberHeader((from, length) => this.#bytesAt(offset + from, length));
    } catch (error) {
      if (error instanceof HeaderFlaw) this.#refuseEntry(error.message);
      throw error;
    }
  }
}
