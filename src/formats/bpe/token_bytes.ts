/** The text that each id stands for, in two arrays, which a worker is sent faster than 50,000 strings. */
import { bytesOfToken } from "./byte_alphabet.ts";

/** UTF-8 bytes of all ids, one after another. */
export interface TokenBytesTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** where each id's bytes end; those of an id that stands for nothing are none; shape (vocabularySize) */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/**
 * Lays out the bytes of a vocabulary.
 *
 * @param vocabulary tokens in the byte alphabet
 * @param addedTokens texts as they are; they come before a token of the vocabulary that has the same id
 */
export function tokenBytesTable(
  vocabulary: ReadonlyMap<string, number>,
  addedTokens: readonly { readonly id: number; readonly content: string }[],
  vocabularySize: number,
): TokenBytesTable {
  const encoder = new TextEncoder();
  const pieces: (Uint8Array | undefined)[] = new Array(vocabularySize).fill(undefined);
  for (const [token, id] of vocabulary) pieces[id] = bytesOfToken(token);
  for (const { id, content } of addedTokens) pieces[id] = encoder.encode(content);
  const ends = new Uint32Array(vocabularySize);
  let end = 0;
  for (const [id, piece] of pieces.entries()) ends[id] = end += piece?.length ?? 0;
  const bytes = new Uint8Array(end);
  for (const [id, piece] of pieces.entries()) {
    if (piece !== undefined) bytes.set(piece, (ends[id] ?? 0) - piece.length);
  }
  return { bytes, ends };
}

/** Bytes of an id; none beyond the vocabulary. */
export function bytesOfId({ bytes, ends }: TokenBytesTable, id: number): Uint8Array<ArrayBuffer> {
  return bytes.subarray(ends[id - 1] ?? 0, ends[id] ?? 0);
}
