/** From text to token ids. */
import type { Json } from "../digest/canonical_json.ts";
import type { Digest } from "../digest/sha256.ts";
import type { TokenizerDefinition } from "./bpe/tokenizer_file.ts";

/** Encodes documents; its ids fit in 16 bits, as the Megatron files store them. */
export interface Tokenizer {
  /** how messages name it */
  readonly name: string;
  /** everything that determines its ids, for the corpus digest */
  readonly specification: Json;
  readonly vocabularySize: number;
  /** the id that is put after each document */
  readonly endOfText: number;
  /** UTF-8 bytes a token on average, for estimates made before anything is tokenised */
  readonly bytesPerToken: number;
  /** from what a worker makes the same tokenizer; absent where encoding costs less than sending text to a worker */
  readonly source?: TokenizerSource;
  /** Ids of a document, without the end. */
  encode(text: string): Uint16Array<ArrayBuffer>;
}

/** A tokenizer that can be sent to another thread. */
export interface TokenizerSource {
  readonly definition: TokenizerDefinition;
  /** of the file that holds the definition */
  readonly sha256: Digest;
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
  encode: (text) => new Uint16Array(encoder.encode(text)),
};
