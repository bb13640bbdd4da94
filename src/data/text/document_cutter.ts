/**
 * Cuts running text into documents at natural boundaries: paragraphs of prose, and declarations with their
 * documentation in TypeScript. Deterministic in the bytes alone, and streaming.
 */

/**
 * The rule, as the corpus digest states it. From `paragraph` bytes on, a document ends before a line that follows a
 * blank one, and before a documentation comment indented by at most four spaces; from `comment` bytes on before any
 * documentation comment; from `line` bytes on before any line. Version counts changes of the code's meaning.
 */
export const CUTTING_RULE = {
  version: 1,
  paragraph: 4096,
  comment: 8192,
  line: 16384,
} as const;

/** Longest piece of a line that the cutter is given, so that a document has at most `line` plus this many bytes. */
export const LONGEST_PIECE = 16384;

const SPACE = 0x20, TAB = 0x09, CARRIAGE_RETURN = 0x0d, LINE_FEED = 0x0a;
const COMMENT_OPENING = [0x2f, 0x2a, 0x2a]; // "/**"

/** Index of the first byte that is neither space nor tab. */
function indentation(line: Uint8Array): number {
  let at = 0;
  while (line[at] === SPACE || line[at] === TAB) at++;
  return at;
}

function isBlank(line: Uint8Array): boolean {
  const byte = line[indentation(line)];
  return byte === undefined || byte === CARRIAGE_RETURN || byte === LINE_FEED;
}

/** Indentation of a line that opens a documentation comment; infinite for other lines. */
function commentIndentation(line: Uint8Array): number {
  const at = indentation(line);
  return COMMENT_OPENING.every((byte, i) => line[at + i] === byte) ? at : Infinity;
}

/** Groups lines into documents. */
export class DocumentCutter {
  #buffer = new Uint8Array(1 << 15);
  #length = 0;
  #afterBlank = false;

  /**
   * Takes the next line with its line feed.
   *
   * @returns the document that ends before this line, as the caller's own copy; null until it ends
   */
  push(line: Uint8Array): Uint8Array<ArrayBuffer> | null {
    const finished = this.#endsBefore(line) ? this.finish() : null;
    const needed = this.#length + line.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(line, this.#length);
    this.#length = needed;
    this.#afterBlank = isBlank(line);
    return finished;
  }

  /** The document that the input's end leaves; null if there is none. */
  finish(): Uint8Array<ArrayBuffer> | null {
    if (this.#length === 0) return null;
    const document = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#afterBlank = false;
    return document;
  }

  #endsBefore(line: Uint8Array): boolean {
    // Only blank lines without end come to this: all others end a document before it is so long.
    if (this.#length + line.length > CUTTING_RULE.line + LONGEST_PIECE) return true;
    if (this.#length < CUTTING_RULE.paragraph || isBlank(line)) return false;
    if (this.#length >= CUTTING_RULE.line) return true;
    if (this.#afterBlank) return true;
    const comment = commentIndentation(line);
    return comment <= 4 ||
      (this.#length >= CUTTING_RULE.comment && comment < Infinity);
  }
}
