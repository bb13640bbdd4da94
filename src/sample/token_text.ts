/** From token ids back to text: the bytes that each id stands for. */
import type { TokenizerDefinition } from "../data/bpe/tokenizer_file.ts";

/** The UTF-8 bytes of a token, which may be a part of a character; none for ids that stand for no text. */
export type TokenBytes = (id: number) => Uint8Array<ArrayBuffer>;

/** A byte is its own id. */
export const byteTokenBytes: TokenBytes = (id) => id < 256 ? Uint8Array.of(id) : new Uint8Array(0);

/** Ids of a byte-level BPE: a byte, two shorter tokens after each other, or an added token's text. */
export function bpeTokenBytes(
  { byteIds, merges, addedTokens }: Pick<TokenizerDefinition, "byteIds" | "merges" | "addedTokens">,
): TokenBytes {
  const encoder = new TextEncoder();
  const bytes = new Map<number, Uint8Array<ArrayBuffer>>();
  // Bytes that UTF-8 never has are marked by the id 0, which is another token's.
  byteIds.forEach((id, byte) => {
    if (id !== 0) bytes.set(id, Uint8Array.of(byte));
  });
  for (const { left, right, merged } of merges) {
    const parts = [bytes.get(left) ?? [], bytes.get(right) ?? []];
    bytes.set(merged, Uint8Array.from(parts.flatMap((part) => [...part])));
  }
  for (const { id, content } of addedTokens) bytes.set(id, encoder.encode(content));
  return (id) => bytes.get(id) ?? new Uint8Array(0);
}

/** Joins tokens to text as they come, and keeps back the bytes of a character that is not whole yet. */
export class TextOfTokens {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(private readonly bytesOf: TokenBytes) {}

  /** What a further token adds. */
  add(id: number): string {
    return this.#decoder.decode(this.bytesOf(id), { stream: true });
  }

  /** What is left at the end: a replacement character if the last one is not whole. */
  end(): string {
    return this.#decoder.decode();
  }
}
