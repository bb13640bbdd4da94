/** Byte-level BPE, the tokenizer of GPT-2 and GPT-NeoX: the ids that Hugging Face's `tokenizers` library gives. */
import type { Json } from "../../digest/canonical_json.ts";
import type { Tokenizer, TokenizerSource } from "../tokenizer.ts";
import { AddedTokens } from "./added_tokens.ts";
import { Merger } from "./merges.ts";
import { mayChange, normalize } from "./nfc.ts";
import type { TokenizerDefinition } from "./tokenizer_file.ts";
import { WholeWords } from "./whole_words.ts";
import { WordCache } from "./word_cache.ts";
import { wordEnd } from "./words.ts";

/** Bytes of English prose a token with GPT-NeoX-20B's vocabulary. */
export const PROSE_BYTES_PER_TOKEN = 4.2;

const BLANK = 0x20;

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
  readonly #definition: TokenizerDefinition;
  readonly #merger: Merger;
  readonly #wholeWords: WholeWords | undefined;
  readonly #cache = new WordCache();
  /** ids of the text so far */
  #ids = new Uint16Array(1 << 16);
  #count = 0;

  constructor(source: TokenizerSource) {
    const { definition, sha256 } = source;
    this.source = source;
    this.name = definition.name;
    this.specification = { name: "byte-level-bpe", sha256, endOfText: definition.endOfText };
    this.vocabularySize = definition.vocabularySize;
    this.endOfText = definition.endOfText;
    const { addedTokens, normalizes, wholeWords } = definition;
    this.#rawTokens = new AddedTokens(addedTokens.filter(({ normalized }) => !normalized));
    this.#normalizedTokens = new AddedTokens(
      addedTokens.filter(({ normalized }) => normalized)
        .map((token) => ({ ...token, content: normalizes ? normalize(token.content) : token.content })),
    );
    this.#definition = definition;
    this.#merger = new Merger(definition.merges);
    this.#wholeWords = wholeWords === undefined ? undefined : new WholeWords(wholeWords);
  }

  encode(text: string): Uint16Array<ArrayBuffer> {
    const bytes = encoder.encode(text);
    const changes = this.#definition.normalizes && mayChange(text);
    this.#count = 0;
    const tokens = this.#rawTokens;
    tokens.begin(bytes, 0, bytes.length);
    while (tokens.next()) {
      this.#encodeRaw(bytes, tokens.textStart, tokens.textEnd, changes);
      this.#push(tokens.id);
    }
    this.#encodeRaw(bytes, tokens.textStart, tokens.textEnd, changes);
    return this.#ids.slice(0, this.#count);
  }

  /** A piece between added tokens of the raw text. */
  #encodeRaw(bytes: Uint8Array, from: number, to: number, changes: boolean): void {
    if (from >= to) return;
    if (!changes) return this.#encodeNormalized(bytes, from, to);
    const normalized = encoder.encode(normalize(decoder.decode(bytes.subarray(from, to))));
    this.#encodeNormalized(normalized, 0, normalized.length);
  }

  #encodeNormalized(bytes: Uint8Array, from: number, to: number): void {
    const tokens = this.#normalizedTokens;
    tokens.begin(bytes, from, to);
    while (tokens.next()) {
      this.#encodePiece(bytes, tokens.textStart, tokens.textEnd);
      this.#push(tokens.id);
    }
    this.#encodePiece(bytes, tokens.textStart, tokens.textEnd);
  }

  /** A piece between added tokens, which is all that the words' pattern sees. */
  #encodePiece(bytes: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    if (!this.#definition.prefixesSpace || bytes[from] === BLANK) return this.#encodeWords(bytes, from, to);
    const piece = new Uint8Array(1 + to - from);
    piece[0] = BLANK;
    piece.set(bytes.subarray(from, to), 1);
    this.#encodeWords(piece, 0, piece.length);
  }

  #encodeWords(bytes: Uint8Array, from: number, to: number): void {
    // No text has more ids than bytes.
    this.#reserve(to - from);
    const ids = this.#ids, cache = this.#cache;
    const { splitsWords } = this.#definition;
    let count = this.#count;
    for (let at = from; at < to;) {
      const end = splitsWords ? wordEnd(bytes, at, to) : to;
      let hash = 0x811c9dc5;
      for (let i = at; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
      const known = cache.copy(bytes, at, end, hash, ids, count);
      count += known > 0 ? known : this.#merge(bytes, at, end, hash, count);
      at = end;
    }
    this.#count = count;
  }

  #merge(bytes: Uint8Array, from: number, to: number, hash: number, at: number): number {
    const whole = this.#wholeWords?.idOf(bytes, from, to);
    if (whole !== undefined) {
      this.#ids[at] = whole;
      return 1;
    }
    const count = this.#merger.merge(bytes, from, to, this.#definition.byteIds);
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
