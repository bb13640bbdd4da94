/** Where each document begins in a staging file of tokens. */
import { openRegularSync } from "../../files/open_regular.ts";
import { readAt } from "../../formats/megatron/read_at.ts";

/** Bytes of a start: a number of tokens as a little-endian float64. */
export const START_BYTES = 8;
const KEPT_BYTES = 1 << 26;

/** Where documents lie in a file of tokens: of a short split kept in memory, of a long one read again and again. */
export class DocumentStarts {
  readonly #file: Deno.FsFile;
  /** all starts, or those of the document that was asked for last */
  readonly #view: DataView<ArrayBuffer>;
  readonly #isWhole: boolean;

  /**
   * @param path of a file with a start a document, and one more
   * @param keptBytes of starts that are kept in memory at most; 2^26 if not given, for eight million documents
   */
  constructor(private readonly path: string, documents: number, keptBytes = KEPT_BYTES) {
    this.#file = openRegularSync(path, "read");
    const bytes = START_BYTES * (documents + 1);
    this.#isWhole = bytes <= keptBytes;
    this.#view = new DataView(new ArrayBuffer(this.#isWhole ? bytes : 2 * START_BYTES));
    if (this.#isWhole) this.#read(0);
  }

  #read(offset: number): void {
    if (readAt(this.#file, offset, new Uint8Array(this.#view.buffer))) return;
    throw new Error(`The staging file "${this.path}" ended early`);
  }

  /** First token of a document, and of the next one. */
  bounds(document: number): [start: number, end: number] {
    const at = START_BYTES * document;
    if (!this.#isWhole) this.#read(at);
    const inView = this.#isWhole ? at : 0;
    return [this.#view.getFloat64(inView, true), this.#view.getFloat64(inView + START_BYTES, true)];
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
