/** Buffered sequential writing. */

const BUFFER_BYTES = 1 << 16;

/** A new file that is written from start to end. */
export class ByteWriter {
  readonly #file: Deno.FsFile;
  readonly #onFlush: (bytes: Uint8Array) => void;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #bytes = 0;
  #open = true;

  /**
   * Makes the file, which must not exist yet.
   *
   * @param onFlush sees all bytes in their order, for a digest
   */
  constructor(path: string, onFlush: (bytes: Uint8Array) => void = () => {}) {
    this.#file = Deno.openSync(path, { write: true, createNew: true });
    this.#onFlush = onFlush;
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

  /** Writes what is buffered and closes the file; with `sync` only when the disk has it. */
  finish(sync: boolean): void {
    this.#flush();
    if (sync) this.#file.syncSync();
    this.close();
  }

  /** Closes the file as it is, after an error; nothing happens if it is closed. */
  close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}
