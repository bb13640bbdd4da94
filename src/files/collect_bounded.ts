/** A stream as one array of bytes, if it is not too long. Web-standard APIs only. */

/**
 * All bytes of a stream.
 *
 * @param tooLarge makes the error that is thrown once `bytes`, more than `maxBytes`, have come
 */
export async function collectBounded(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tooLarge: (bytes: number) => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes) throw tooLarge(total);
    pieces.push(chunk);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
