/** Byte-level BPE, the tokenizer of GPT-2 and GPT-NeoX: the ids that Hugging Face's `tokenizers` library gives. */
import type { Json } from "../../digest/canonical_json.ts";
import type { Tokenizer, TokenizerSource } from "../tokenizer.ts";
import { AddedTokens } from "./added_tokens.ts";
import { Merger } from "./merges.ts";
import { mayChange, normalize } from "./nfc.ts";
import { WordCache } from "./word_cache.ts";
import { wordEnd } from "./words.ts";

/** Bytes of English prose a token with GPT-NeoX-20B's vocabulary. */
export const PROSE_BYTES_PER_TOKEN = 4.2;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A tokenizer of a `tokenizer.json`.
 *
 * Text is cut at the added tokens that are matched in the text as it is, each piece normalised, cut again at the added
 * tokens that are matched in normalised text, split into words, and each word merged.
 */
export class BpeTokenizer implements Tokenizer {
  readonly name: string;
  readonly specification: Json;
  readonly vocabularySize: number;
  readonly endOfText: number;
  readonly bytesPerToken = PROSE_BYTES_PER_TOKEN;
  readonly source: TokenizerSource;
  readonly #rawTokens: AddedTokens;
  readonly #normalizedTokens: AddedTokens;
  readonly #normalizes: boolean;
  readonly #byteIds: Uint16Array;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  /** ids of the text so far; no text has more ids than bytes */
  #ids = new Uint16Array(1 << 16);
  #count = 0;

  constructor(source: TokenizerSource) {
    const { definition, sha256 } = source;
    this.source = source;
    this.name = definition.name;
    this.specification = { name: "byte-level-bpe", sha256, endOfText: definition.endOfText };
    this.vocabularySize = definition.vocabularySize;
    this.endOfText = definition.endOfText;
    this.#rawTokens = new AddedTokens(definition.addedTokens.filter(({ normalized }) => !normalized));
    this.#normalizedTokens = new AddedTokens(
      definition.addedTokens.filter(({ normalized }) => normalized)
        .map(({ id, content }) => ({ id, content: definition.normalizes ? normalize(content) : content })),
    );
    this.#normalizes = definition.normalizes;
    this.#byteIds = definition.byteIds;
    this.#merger = new Merger(definition.merges);
  }

  encode(text: string): Uint16Array<ArrayBuffer> {
    const bytes = encoder.encode(text);
    const changes = this.#normalizes && mayChange(text);
    this.#count = 0;
    const tokens = this.#rawTokens;
    let at = 0;
    while (tokens.find(bytes, at, bytes.length)) {
      this.#encodeRaw(bytes, at, tokens.start, changes);
      this.#push(tokens.id);
      at = tokens.end;
    }
    this.#encodeRaw(bytes, at, bytes.length, changes);
    return this.#ids.slice(0, this.#count);
  }

  /** A piece between added tokens of the raw text. */
  #encodeRaw(bytes: Uint8Array, from: number, to: number, changes: boolean): void {
    if (from === to) return;
    if (!changes) return this.#encodeNormalized(bytes, from, to);
    const normalized = encoder.encode(normalize(decoder.decode(bytes.subarray(from, to))));
    this.#encodeNormalized(normalized, 0, normalized.length);
  }

  #encodeNormalized(bytes: Uint8Array, from: number, to: number): void {
    const tokens = this.#normalizedTokens;
    let at = from;
    while (tokens.find(bytes, at, to)) {
      this.#encodeWords(bytes, at, tokens.start);
      this.#push(tokens.id);
      at = tokens.end;
    }
    this.#encodeWords(bytes, at, to);
  }

  /** A piece between added tokens, which is all that the words' pattern sees. */
  #encodeWords(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    const ids = this.#ids, cache = this.#cache;
    let count = this.#count;
    for (let at = from; at < to;) {
      const end = wordEnd(bytes, at, to);
      let hash = 0x811c9dc5;
      for (let i = at; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
      const known = cache.copy(bytes, at, end, hash, ids, count);
      count += known > 0 ? known : this.#merge(bytes, at, end, hash, count);
      at = end;
    }
    this.#count = count;
  }

  #merge(bytes: Uint8Array, from: number, to: number, hash: number, at: number): number {
    const count = this.#merger.merge(bytes, from, to, this.#byteIds);
    const merged = this.#merger.ids;
    for (let i = 0; i < count; i++) this.#ids[at + i] = merged[i] as number;
    this.#cache.add(bytes, from, to, hash, merged, count);
    return count;
  }

  #push(id: number): void {
    this.#reserve(1);
    this.#ids[this.#count++] = id;
  }

  #reserve(more: number): void {
    if (this.#count + more <= this.#ids.length) return;
    const grown = new Uint16Array(2 * (this.#count + more));
    grown.set(this.#ids.subarray(0, this.#count));
    this.#ids = grown;
  }
}
