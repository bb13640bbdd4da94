/** Ids of longer words seen before, in memory of fixed size: text repeats its words, and merging one is the slow part. */

/** Longer words are hardly ever seen twice. */
const LONGEST = 64;
/** A power of two. */
const SLOTS = 1 << 16;
/** The table is emptied when this many slots are taken: searches stay short, and what is common comes back soon. */
const MOST_WORDS = SLOTS / 2;
const KEY_BYTES = 1 << 20;
/** No word has more ids than bytes. */
const IDS = KEY_BYTES;
/** 32-bit fields of a slot: the hash; where bytes begin; where ids begin; length in bytes << 8 | ids, 0 if empty. */
const FIELDS = 4;

/** Words by their bytes. */
export class WordCache {
  readonly #slots = new Int32Array(FIELDS * SLOTS);
  readonly #keys = new Uint8Array(KEY_BYTES);
  readonly #ids = new Uint16Array(IDS);
  #words = 0;
  #keyBytes = 0;
  #idCount = 0;

  /**
   * Copies a word's ids to `into` at `at`.
   *
   * @returns the number of ids; 0 if the word is not there
   */
  copy(bytes: Uint8Array, from: number, to: number, hash: number, into: Uint16Array, at: number): number {
    const slots = this.#slots;
    const size = to - from;
    for (let slot = slotOf(hash);; slot = (slot + FIELDS) & (FIELDS * SLOTS - 1)) {
      const lengths = slots[slot + 3] as number;
      if (lengths === 0) return 0;
      if (slots[slot] !== hash || lengths >> 8 !== size) continue;
      if (!this.#isKey(slots[slot + 1] as number, bytes, from, size)) continue;
      const count = lengths & 0xff;
      const start = slots[slot + 2] as number;
      for (let i = 0; i < count; i++) into[at + i] = this.#ids[start + i] as number;
      return count;
    }
  }

  #isKey(start: number, bytes: Uint8Array, from: number, size: number): boolean {
    const keys = this.#keys;
    for (let i = 0; i < size; i++) {
      if (keys[start + i] !== bytes[from + i]) return false;
    }
    return true;
  }

  /** Takes in a word that is not there, with the `count` ids from `first` on. */
  add(
    bytes: Uint8Array,
    from: number,
    to: number,
    hash: number,
    ids: Uint16Array,
    first: number,
    count: number,
  ): void {
    const size = to - from;
    if (size > LONGEST) return;
    if (this.#words === MOST_WORDS || this.#keyBytes + size > KEY_BYTES) this.#clear();
    const slots = this.#slots;
    let slot = slotOf(hash);
    while (slots[slot + 3] !== 0) slot = (slot + FIELDS) & (FIELDS * SLOTS - 1);
    slots[slot] = hash;
    slots[slot + 1] = this.#keyBytes;
    slots[slot + 2] = this.#idCount;
    slots[slot + 3] = size << 8 | count;
    for (let i = 0; i < size; i++) this.#keys[this.#keyBytes++] = bytes[from + i] as number;
    for (let i = 0; i < count; i++) this.#ids[this.#idCount++] = ids[first + i] as number;
    this.#words++;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#words = this.#keyBytes = this.#idCount = 0;
  }
}

/** FNV-1a of a word's bytes. */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}

function slotOf(hash: number): number {
  return FIELDS * ((hash ^ hash >>> 16) & (SLOTS - 1));
}
