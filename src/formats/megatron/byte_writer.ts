/** Buffered sequential writing. */
import { FROM_START, openRegularSync } from "../../files/open_regular.ts";

const BUFFER_BYTES = 1 << 16;

/** A file that is written from start to end, or from the end of what is kept of it. */
export class ByteWriter {
  readonly #file: Deno.FsFile;
  readonly #onFlush: (bytes: Uint8Array) => void;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #bytes = 0;
  #open = true;

  /**
   * Creates the file, which must not exist yet, or appends to one.
   *
   * @param onFlush sees all bytes that are written, in their order, for a digest
   * @param kept bytes of a file that exists; what comes after them is cut off
   */
  constructor(path: string, onFlush: (bytes: Uint8Array) => void = () => {}, kept?: number) {
    this.#file = openRegularSync(path, kept === undefined ? "create" : "update");
    this.#onFlush = onFlush;
    if (kept === undefined) return;
    this.#bytes = kept;
    this.#file.truncateSync(kept);
    this.#file.seekSync(kept, FROM_START);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  write(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      if (this.#buffered === BUFFER_BYTES) this.#flush();
      const piece = bytes.subarray(at, at + BUFFER_BYTES - this.#buffered);
      this.#buffer.set(piece, this.#buffered);
      this.#buffered += piece.length;
      at += piece.length;
    }
  }

  #flush(): void {
    const filled = this.#buffer.subarray(0, this.#buffered);
    this.#onFlush(filled);
    for (let done = 0; done < filled.length;) {
      done += this.#file.writeSync(filled.subarray(done));
    }
    this.#buffered = 0;
  }

  /** Writes what is buffered; the disk has it on return. */
  sync(): void {
    this.#flush();
    this.#file.syncSync();
  }

  /** Writes what is buffered and closes the file; with `sync` only when the disk has it. */
  finish(sync: boolean): void {
    if (sync) this.sync();
    else this.#flush();
    this.close();
  }

  /** Closes the file as it is, after an error; nothing happens if it is closed. */
  close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}
