/**
 * Ids of short words seen before. A word of at most eight bytes is two integers, which are its key: it is compared without
 * a loop, and found within one line of the processor's cache. Of English text seven words in eight are so short.
 */
import type { PaddedText } from "./padded_text.ts";

/** Longest word in bytes. */
export const SHORT_WORD = 8;
/** A power of two. */
const SLOTS = 1 << 16;
/** The table is emptied when this many slots are taken: searches stay short, and what is common comes back soon. */
const MOST_WORDS = SLOTS / 2;
/** Ids of words that have more than two. */
const IDS = 1 << 18;
/** 32-bit fields of a slot: bytes 0–3; bytes 4–7; length in bytes << 8 | ids, 0 if empty; up to two ids, or where more begin. */
const FIELDS = 4;

/** Which bits of its first four bytes belong to a word of each length, and which of the next four. */
const LOW_MASKS = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const HIGH_MASKS = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);

/** Words by their bytes, in memory of fixed size. */
export class ShortWords {
  readonly #slots = new Int32Array(FIELDS * SLOTS);
  readonly #ids = new Uint16Array(IDS);
  #words = 0;
  #idCount = 0;

  /**
   * Copies a word's ids to `into` at `at`; there must be room for two.
   *
   * @returns the number of ids; 0 if the word is not there
   */
  copy({ view }: PaddedText, from: number, size: number, into: Uint16Array, at: number): number {
    const slots = this.#slots;
    const low = view.getInt32(from, true) & (LOW_MASKS[size] as number);
    const high = view.getInt32(from + 4, true) & (HIGH_MASKS[size] as number);
    for (let slot = slotOf(low, high, size);; slot = (slot + FIELDS) & (FIELDS * SLOTS - 1)) {
      const lengths = slots[slot + 2] as number;
      if (((slots[slot] as number) ^ low | (slots[slot + 1] as number) ^ high | lengths >> 8 ^ size) !== 0) {
        if (lengths === 0) return 0;
        continue;
      }
      const count = lengths & 0xff;
      const two = slots[slot + 3] as number;
      if (count > 2) { for (let i = 0; i < count; i++) into[at + i] = this.#ids[two + i] as number; }
      else {
        into[at] = two;
        into[at + 1] = two >>> 16;
      }
      return count;
    }
  }

  /** Takes in a word that is not there, with the `count` ids from `first` on. */
  add({ view }: PaddedText, from: number, size: number, ids: Uint16Array, first: number, count: number): void {
    if (this.#words === MOST_WORDS || this.#idCount + count > IDS) this.#clear();
    const slots = this.#slots;
    const low = view.getInt32(from, true) & (LOW_MASKS[size] as number);
    const high = view.getInt32(from + 4, true) & (HIGH_MASKS[size] as number);
    let slot = slotOf(low, high, size);
    while (slots[slot + 2] !== 0) slot = (slot + FIELDS) & (FIELDS * SLOTS - 1);
    slots[slot] = low;
    slots[slot + 1] = high;
    slots[slot + 2] = size << 8 | count;
    const second = count === 1 ? 0 : ids[first + 1] as number;
    slots[slot + 3] = count > 2 ? this.#idCount : (ids[first] as number) | second << 16;
    if (count > 2) { for (let i = 0; i < count; i++) this.#ids[this.#idCount++] = ids[first + i] as number; }
    this.#words++;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#words = this.#idCount = 0;
  }
}

function slotOf(low: number, high: number, size: number): number {
  const mixed = Math.imul(Math.imul(low, 0x9e3779b1) ^ high ^ size, 0x85ebca6b);
  return FIELDS * ((mixed ^ mixed >>> 15) & (SLOTS - 1));
}
