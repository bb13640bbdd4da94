/** From text to token ids. */
import type { Json } from "../digest/canonical_json.ts";

/** Encodes documents; its ids fit in 16 bits, as the Megatron files store them. */
export interface Tokenizer {
  readonly name: string;
  /** everything that determines its ids, for the corpus digest */
  readonly specification: Json;
  readonly vocabularySize: number;
  /** the id that is put after each document */
  readonly endOfText: number;
  /** UTF-8 bytes a token on average, for estimates made before anything is tokenised */
  readonly bytesPerToken: number;
  /** Ids of a document, without the end. */
  encode(text: string): Uint16Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/**
 * UTF-8 bytes as tokens. A zero byte ends a document, as id 0 (`<|endoftext|>`) does in GPT-NeoX; text that holds
 * U+0000 is not escaped and reads as an end.
 */
export const BYTE_TOKENIZER: Tokenizer = {
  name: "byte",
  specification: { name: "byte", endOfText: 0 },
  vocabularySize: 256,
  endOfText: 0,
  bytesPerToken: 1,
  encode: (text) => Uint16Array.from(encoder.encode(text)),
};

/** A tokenizer by the name that options and plans give it. */
export function tokenizerOf(name: "byte"): Tokenizer {
  return { byte: BYTE_TOKENIZER }[name];
}
