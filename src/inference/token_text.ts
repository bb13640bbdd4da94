/** From token ids back to text: the bytes that each id stands for. */
import { bytesOfId } from "../formats/bpe/token_bytes.ts";
import type { TokenizerDefinition } from "../formats/bpe/tokenizer_file.ts";

/** The UTF-8 bytes of a token, which may be a part of a character; none for ids that stand for no text. */
export type TokenBytes = (id: number) => Uint8Array<ArrayBuffer>;

/** A byte is its own id. */
export const byteTokenBytes: TokenBytes = (id) => id < 256 ? Uint8Array.of(id) : new Uint8Array(0);

/**
 * Ids of a byte-level BPE. An added token is its own text; the reference's decoder takes the characters of one for bytes,
 * and shows a token "ét" as "\ufffdt".
 */
export function bpeTokenBytes({ tokenBytes }: Pick<TokenizerDefinition, "tokenBytes">): TokenBytes {
  return (id) => bytesOfId(tokenBytes, id);
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
