/** Reading a stream by lengths instead of by chunks. */

/** A byte string of known length at a time, from chunks of any lengths. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** bytes taken and skipped so far */
  offset = 0;

  /** @param chunks the stream; a chunk is done with before the next is asked for */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes as a copy; fewer only where the input ends. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    const filled = await this.#advance(length, (piece, done) => bytes.set(piece, done));
    return bytes.subarray(0, filled);
  }

  /** Passes over `length` bytes; over fewer only where the input ends. */
  async skip(length: number): Promise<void> {
    await this.#advance(length, () => {});
  }

  async #advance(length: number, use: (piece: Uint8Array, done: number) => void): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#at === this.#chunk.length) {
        const next = await this.#chunks.next();
        if (next.done === true) break;
        this.#chunk = next.value;
        this.#at = 0;
        continue;
      }
      const piece = this.#chunk.subarray(this.#at, this.#at + length - done);
      use(piece, done);
      done += piece.length;
      this.#at += piece.length;
    }
    this.offset += done;
    return done;
  }

  /** Lets the input close what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
