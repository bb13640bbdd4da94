/** Added tokens: texts that become one id wherever they stand, before anything is split into words. */
import { CLASSES, CLASSIFIED, SPACE } from "./unicode_classes.ts";
import { isWordCharacter } from "./word_characters.ts";

/** A token that is found as it is written. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** found only where no part of a word is beside it */
  readonly singleWord: boolean;
  /** takes in the white space before it */
  readonly stripsLeft: boolean;
  /** takes in the white space after it */
  readonly stripsRight: boolean;
}

/** A byte has 256 successors in the tree. */
const BYTES = 256;

/** Searches of a text for one string, by the engine's own code, that cost less than one for all tokens here. */
const MOST_SEARCHES = 4;

const encoder = new TextEncoder();

/**
 * Finds added tokens in UTF-8 bytes: of those that begin first, the longest.
 *
 * A token that does not stand by itself and should is passed over with its text: no shorter one is looked for within it.
 * White space that one token has taken in still counts as text in which the next one is looked for. Both are as the
 * reference does it.
 *
 * @see https://github.com/huggingface/tokenizers, `added_vocabulary.rs`, `find_matches`
 */
export class AddedTokens {
  /** node · 256 + byte → the next node, 0 where none is; the root is node 0 */
  readonly #next: Int32Array;
  /** node → place in the list of the token that ends there, −1 where none does */
  readonly #places: Int32Array;
  /** first byte << 8 | second byte → 1 where a token begins so, whatever the second byte for a token of one */
  readonly #beginnings = new Uint8Array(BYTES * BYTES);
  readonly #tokens: readonly AddedToken[];
  /** the first two characters of tokens, each once */
  readonly #beginningsInText: readonly string[];
  #bytes: Uint8Array = new Uint8Array(0);
  /** bounds of the piece of text, outside of which nothing is seen */
  #from = 0;
  #to = 0;
  /** bounds of the match at hand; the next search begins where it ends */
  #start = 0;
  #search = 0;
  /** where the text after the last token begins */
  #rest = 0;
  /** bounds in bytes of the text before the token that {@linkcode next} found; none if they are not in order */
  textStart = 0;
  textEnd = 0;
  /** what it found */
  id = 0;

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = tokens;
    this.#beginningsInText = [...new Set(tokens.map(({ content }) => content.toWellFormed().slice(0, 2)))];
    const contents = tokens.map(({ content }) => encoder.encode(content));
    const most = 1 + contents.reduce((bytes, content) => bytes + content.length, 0);
    this.#next = new Int32Array(BYTES * most);
    this.#places = new Int32Array(most).fill(-1);
    let nodes = 1;
    for (const [place, content] of contents.entries()) {
      const pair = BYTES * (content[0] ?? 0);
      this.#beginnings.fill(1, pair + (content[1] ?? 0), pair + (content[1] ?? BYTES - 1) + 1);
      let node = 0;
      for (const byte of content) {
        const edge = BYTES * node + byte;
        if (this.#next[edge] === 0) this.#next[edge] = nodes++;
        node = this.#next[edge] as number;
      }
      this.#places[node] = place;
    }
  }

  /** Whether tokens have to be looked for in a text; false for most text, which has none. */
  mayBeIn(text: string): boolean {
    const beginnings = this.#beginningsInText;
    return beginnings.length > MOST_SEARCHES || beginnings.some((beginning) => text.includes(beginning));
  }

  /** Begins a piece of text. */
  begin(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#from = this.#search = from;
    this.#to = to;
    this.#rest = from;
  }

  /**
   * Goes to the next token.
   *
   * @returns whether there is one; if not, `textStart` and `textEnd` are those of the text at the end
   */
  next(): boolean {
    for (let place = this.#match(); place >= 0; place = this.#match()) {
      const { id, singleWord, stripsLeft, stripsRight } = this.#tokens[place] as AddedToken;
      if (singleWord && this.#isInWord()) continue;
      const start = stripsLeft ? this.#spaceBefore(this.#start) : this.#start;
      const end = stripsRight ? this.#spaceAfter(this.#search) : this.#search;
      this.textStart = this.#rest;
      this.textEnd = start;
      this.#rest = end;
      // The token before has taken in all of this one, which is white space.
      if (start === end) continue;
      this.id = id;
      return true;
    }
    this.textStart = this.#rest;
    this.textEnd = this.#to;
    return false;
  }

  /** Place in the list of the next token in the text, −1 if there is none. */
  #match(): number {
    const next = this.#next, places = this.#places, bytes = this.#bytes, to = this.#to;
    for (let start = this.#search; start < to; start++) {
      start = this.#candidate(start);
      let node = next[bytes[start] as number] as number;
      if (node === 0) continue;
      let place = -1;
      for (let at = start + 1;; at++) {
        const found = places[node] as number;
        if (found >= 0) {
          place = found;
          this.#search = at;
        }
        if (at === to) break;
        node = next[BYTES * node + (bytes[at] as number)] as number;
        if (node === 0) break;
      }
      if (place >= 0) {
        this.#start = start;
        return place;
      }
    }
    this.#search = to;
    return -1;
  }

  /** The next place from `from` on whose two bytes begin a token, or the last one, which has but one. */
  #candidate(from: number): number {
    const beginnings = this.#beginnings, bytes = this.#bytes, last = this.#to - 1;
    let first = bytes[from] as number;
    for (let at = from; at < last; at++) {
      const second = bytes[at + 1] as number;
      if (beginnings[first << 8 | second] !== 0) return at;
      first = second;
    }
    return last;
  }

  #isInWord(): boolean {
    const bytes = this.#bytes, start = this.#start, end = this.#search;
    return start > this.#from && isWordCharacter(characterAt(bytes, characterStart(bytes, start))) ||
      end < this.#to && isWordCharacter(characterAt(bytes, end));
  }

  /** Start of the white space that ends at a byte, so far as no token has taken it in. */
  #spaceBefore(at: number): number {
    while (at > this.#rest) {
      const before = characterStart(this.#bytes, at);
      if (!isSpace(characterAt(this.#bytes, before))) break;
      at = before;
    }
    return Math.max(at, this.#rest);
  }

  /** End of the white space that begins at a byte. */
  #spaceAfter(at: number): number {
    while (at < this.#to) {
      const point = characterAt(this.#bytes, at);
      if (!isSpace(point)) break;
      at += point < 0x80 ? 1 : point < 0x800 ? 2 : 3;
    }
    return at;
  }
}

/** All white space is below U+10000. */
function isSpace(point: number): boolean {
  return point < CLASSIFIED && CLASSES[point] === SPACE;
}

/** Start of the character that ends before `end` in well-formed UTF-8. */
function characterStart(bytes: Uint8Array, end: number): number {
  let at = end - 1;
  while (at > 0 && ((bytes[at] as number) & 0xc0) === 0x80) at--;
  return at;
}

/** The code point at a byte of well-formed UTF-8. */
function characterAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return lead;
  const trail = (i: number) => (bytes[at + i] as number) & 0x3f;
  if (lead < 0xe0) return (lead & 0x1f) << 6 | trail(1);
  if (lead < 0xf0) return (lead & 0x0f) << 12 | trail(1) << 6 | trail(2);
  return (lead & 0x07) << 18 | trail(1) << 12 | trail(2) << 6 | trail(3);
}
