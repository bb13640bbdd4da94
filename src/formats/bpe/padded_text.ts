/** Text as UTF-8 with a few bytes to spare behind it, so that words can be read four bytes at a time. */

/** Bytes that may be read beyond the text. */
const SPARE_BYTES = 8;
/** Bytes that are kept from one text to the next; what a longer one takes is given back. */
const KEPT_BYTES = 1 << 20;
/** UTF-8 bytes of a UTF-16 code unit at most. */
const MOST_BYTES = 3;

const encoder = new TextEncoder();

/** A text at a time. */
export class PaddedText {
  readonly #kept = new Uint8Array(KEPT_BYTES);
  /** the text's bytes from the first on, and others behind them */
  bytes: Uint8Array<ArrayBuffer> = this.#kept;
  /** over {@linkcode bytes} */
  view: DataView = new DataView(this.bytes.buffer);
  /** bytes of the text */
  length = 0;

  /** Takes in a text in place of the one before. */
  encode(text: string): void {
    if (MOST_BYTES * text.length + SPARE_BYTES <= KEPT_BYTES) {
      this.#use(this.#kept, encoder.encodeInto(text, this.#kept).written);
    } else this.set(encoder.encode(text));
  }

  /** Takes in well-formed UTF-8, with a byte before it if one is given. */
  set(text: Uint8Array, before?: number): void {
    const start = before === undefined ? 0 : 1;
    const length = start + text.length;
    const bytes = length + SPARE_BYTES <= KEPT_BYTES ? this.#kept : new Uint8Array(length + SPARE_BYTES);
    if (before !== undefined) bytes[0] = before;
    bytes.set(text, start);
    this.#use(bytes, length);
  }

  #use(bytes: Uint8Array<ArrayBuffer>, length: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer);
    }
    this.length = length;
  }
}
