/** Byte-level BPE, the tokenizer of GPT-2 and GPT-NeoX: the ids that Hugging Face's `tokenizers` library gives. */
import type { Json } from "../../digest/canonical_json.ts";
import type { Tokenizer, TokenizerSource } from "../tokenizer.ts";
import { AddedTokens } from "./added_tokens.ts";
import { Merger } from "./merges.ts";
import { mayChange, normalize } from "./nfc.ts";
import { PaddedText } from "./padded_text.ts";
import { SHORT_WORD, ShortWords } from "./short_words.ts";
import type { TokenizerDefinition } from "./tokenizer_file.ts";
import { WholeWords } from "./whole_words.ts";
import { hashOf, WordCache } from "./word_cache.ts";
import { wordEnd } from "./words.ts";

/** Bytes of English prose a token with GPT-NeoX-20B's vocabulary. */
export const PROSE_BYTES_PER_TOKEN = 4.2;

const BLANK = 0x20;

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
  readonly #shortWords = new ShortWords();
  readonly #cache = new WordCache();
  readonly #raw = new PaddedText();
  #normalized: PaddedText | undefined;
  /** a piece with the space that is put before it */
  #prefixed: PaddedText | undefined;
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

  encode(anyText: string): Uint16Array<ArrayBuffer> {
    // What stands for a lone surrogate in UTF-8 stands for it where text is searched, too.
    const text = anyText.toWellFormed();
    const raw = this.#raw;
    raw.encode(text);
    this.#count = 0;
    const changes = this.#definition.normalizes && mayChange(text);
    const mayHaveTokens = changes || this.#normalizedTokens.mayBeIn(text);
    const encodePiece = (from: number, to: number) => {
      if (changes) this.#normalizePiece(from, to);
      else this.#encodeNormalized(raw, from, to, mayHaveTokens);
    };
    const tokens = this.#rawTokens;
    if (!tokens.mayBeIn(text)) encodePiece(0, raw.length);
    else {
      tokens.begin(raw.bytes, 0, raw.length);
      while (tokens.next()) {
        encodePiece(tokens.textStart, tokens.textEnd);
        this.#push(tokens.id);
      }
      encodePiece(tokens.textStart, tokens.textEnd);
    }
    return this.#ids.slice(0, this.#count);
  }

  /** A piece between added tokens of the raw text, which normalising may change. */
  #normalizePiece(from: number, to: number): void {
    if (from >= to) return;
    const text = normalize(decoder.decode(this.#raw.bytes.subarray(from, to)));
    const normalized = this.#normalized ??= new PaddedText();
    normalized.encode(text);
    this.#encodeNormalized(normalized, 0, normalized.length, this.#normalizedTokens.mayBeIn(text));
  }

  #encodeNormalized(text: PaddedText, from: number, to: number, mayHaveTokens: boolean): void {
    if (!mayHaveTokens) return this.#encodePiece(text, from, to);
    const tokens = this.#normalizedTokens;
    tokens.begin(text.bytes, from, to);
    while (tokens.next()) {
      this.#encodePiece(text, tokens.textStart, tokens.textEnd);
      this.#push(tokens.id);
    }
    this.#encodePiece(text, tokens.textStart, tokens.textEnd);
  }

  /** A piece between added tokens, which is all that the words' pattern sees. */
  #encodePiece(text: PaddedText, from: number, to: number): void {
    if (from >= to) return;
    if (!this.#definition.prefixesSpace || text.bytes[from] === BLANK) return this.#encodeWords(text, from, to);
    const piece = this.#prefixed ??= new PaddedText();
    piece.set(text.bytes.subarray(from, to), BLANK);
    this.#encodeWords(piece, 0, piece.length);
  }

  #encodeWords(text: PaddedText, from: number, to: number): void {
    // No text has more ids than bytes; a short word's are written two at a time.
    this.#reserve(to - from + 1);
    const ids = this.#ids, shortWords = this.#shortWords;
    const { bytes } = text;
    const { splitsWords } = this.#definition;
    let count = this.#count;
    for (let at = from; at < to;) {
      const end = splitsWords ? wordEnd(text, at, to) : to;
      const size = end - at;
      if (size <= SHORT_WORD) {
        const known = shortWords.copy(text, at, size, ids, count);
        if (known > 0) count += known;
        else {
          const made = this.#merge(bytes, at, end, count);
          shortWords.add(text, at, size, ids, count, made);
          count += made;
        }
      } else count += this.#encodeLong(bytes, at, end, count);
      at = end;
    }
    this.#count = count;
  }

  #encodeLong(bytes: Uint8Array, from: number, to: number, at: number): number {
    const hash = hashOf(bytes, from, to);
    const known = this.#cache.copy(bytes, from, to, hash, this.#ids, at);
    if (known > 0) return known;
    const made = this.#merge(bytes, from, to, at);
    this.#cache.add(bytes, from, to, hash, this.#ids, at, made);
    return made;
  }

  /** Writes a word's ids at `at`, and returns their number. */
  #merge(bytes: Uint8Array, from: number, to: number, at: number): number {
    const whole = this.#wholeWords?.idOf(bytes, from, to);
    if (whole !== undefined) {
      this.#ids[at] = whole;
      return 1;
    }
    const count = this.#merger.merge(bytes, from, to, this.#definition.byteIds);
    const merged = this.#merger.ids;
    for (let i = 0; i < count; i++) this.#ids[at + i] = merged[i] as number;
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
