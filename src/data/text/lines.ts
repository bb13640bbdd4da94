/** Lines of a byte stream, in memory bounded by the longest line. */

const LINE_FEED = 0x0a;

/** A line, or a piece of one that was longer than allowed. */
export interface Line {
  /** with its line feed if it has one; valid only until the next line is asked for */
  readonly bytes: Uint8Array;
  /** 1-based number of the line */
  readonly number: number;
  /** offset of the first byte in the stream */
  readonly offset: number;
}

/** Whether a byte continues a UTF-8 sequence. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Where to cut bytes of a line that is too long: at `longest`, or up to three bytes before it at a character. */
function cutBefore(bytes: Uint8Array, longest: number): number {
  let cut = longest;
  while (cut > longest - 4 && isContinuation(bytes[cut])) cut--;
  return cut;
}

/**
 * Cuts a stream into lines.
 *
 * @param longest longer lines come in pieces of about this many bytes, cut between characters
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Line, void> {
  let buffer = new Uint8Array(1 << 16);
  let start = 0, end = 0, offset = 0, number = 1;
  for await (const chunk of chunks) {
    if (end + chunk.length > buffer.length) {
      const pending = buffer.subarray(start, end);
      const needed = pending.length + chunk.length;
      if (needed > buffer.length) {
        buffer = new Uint8Array(Math.max(needed, 2 * buffer.length));
      }
      buffer.set(pending);
      [start, end] = [0, pending.length];
    }
    let scan = end;
    buffer.set(chunk, end);
    end += chunk.length;
    while (true) {
      const feed = buffer.subarray(0, end).indexOf(LINE_FEED, scan);
      let next = feed < 0 ? end : feed + 1;
      const complete = feed >= 0;
      const tooLong = next - start > longest;
      if (!complete && !tooLong) break;
      if (tooLong) {
        next = start + cutBefore(buffer.subarray(start, next), longest);
      }
      yield { bytes: buffer.subarray(start, next), number, offset };
      offset += next - start;
      if (complete && !tooLong) number++;
      start = scan = next;
    }
  }
  if (end > start) yield { bytes: buffer.subarray(start, end), number, offset };
}
