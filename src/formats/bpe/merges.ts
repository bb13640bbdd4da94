/**
 * Byte pair encoding of one word: of all neighbouring pairs the one of lowest rank is merged, the leftmost of equals,
 * until no pair has a rank. Pairs are integers in a hash table of typed arrays; nothing is allocated for a word.
 *
 * @see Sennrich et al., arXiv 1508.07909
 */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";

/** A merge rule: the pair of ids that becomes one. Its rank is its place in the list. */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly merged: number;
}

/** Longer words are merged with a heap, since scanning for the lowest rank costs the square of the length. */
const SHORT_WORD = 40;
/** Positions and ranks share one double in the heap: rank · 2^28 + position. */
const POSITIONS = 2 ** 28;
/** Greater than every rank: no rule merges this pair. */
const NO_RANK = 0x7fffffff;
const EMPTY = -1;

/** A longer word would take gigabytes: 40 bytes are kept for each of its own while it is merged. */
const MAX_WORD_BYTES = 1 << 23;

function wordTooLong(bytes: Uint8Array, from: number, length: number): UserError {
  const start = printable(new TextDecoder().decode(bytes.subarray(from, from + 40)));
  return new UserError(
    "WORD_TOO_LONG",
    `A document has a word of ${length} bytes, which begins with "${start}", and at most ${MAX_WORD_BYTES} are merged`,
    "break it by spaces, or leave its document out",
  );
}

/** Rules by their pair. */
class MergeTable {
  /** [2 · slot] the pair as `left << 16 | right`, [2 · slot + 1] its rank or EMPTY */
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** rank → id of the merged pair */
  readonly merged: Uint16Array;

  constructor(merges: readonly Merge[]) {
    let size = 2;
    while (size < 2 * merges.length) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(2 * size).fill(EMPTY);
    this.merged = Uint16Array.from(merges, ({ merged }) => merged);
    for (const [rank, { left, right }] of merges.entries()) {
      const pair = left << 16 | right;
      const slot = this.#slot(pair);
      this.#slots[2 * slot] = pair;
      this.#slots[2 * slot + 1] = rank;
    }
  }

  /** Where a pair is or would be. */
  #slot(pair: number): number {
    const slots = this.#slots, mask = this.#mask;
    const mixed = Math.imul(pair, 0x9e3779b1);
    let slot = (mixed ^ mixed >>> 15) & mask;
    while (slots[2 * slot + 1] !== EMPTY && slots[2 * slot] !== pair) slot = (slot + 1) & mask;
    return slot;
  }

  rank(left: number, right: number): number {
    const rank = this.#slots[2 * this.#slot(left << 16 | right) + 1] as number;
    return rank === EMPTY ? NO_RANK : rank;
  }
}

/** Merges words. */
export class Merger {
  readonly #table: MergeTable;
  /** ids of the word's parts; the first ones hold the result */
  #ids = new Int32Array(SHORT_WORD);
  /** rank of the pair that begins at each part */
  #ranks = new Int32Array(SHORT_WORD);

  constructor(merges: readonly Merge[]) {
    this.#table = new MergeTable(merges);
  }

  /** Ids of the last merged word, from the first on. */
  get ids(): Int32Array {
    return this.#ids;
  }

  /**
   * Merges the parts of a word into {@linkcode ids}.
   *
   * @param idOf id of each byte
   * @returns number of ids
   * @throws {UserError} `WORD_TOO_LONG`
   */
  merge(bytes: Uint8Array, from: number, to: number, idOf: Uint16Array): number {
    const length = to - from;
    if (length > MAX_WORD_BYTES) throw wordTooLong(bytes, from, length);
    if (length > this.#ids.length) {
      this.#ids = new Int32Array(length);
      this.#ranks = new Int32Array(length);
    }
    for (let i = 0; i < length; i++) this.#ids[i] = idOf[bytes[from + i] as number] as number;
    return length <= SHORT_WORD ? this.#mergeShort(length) : this.#mergeLong(length);
  }

  /** Ranks of all pairs of a word's first `length` parts. */
  #rankAll(length: number): void {
    const ids = this.#ids;
    for (let i = 0; i + 1 < length; i++) {
      this.#ranks[i] = this.#table.rank(ids[i] as number, ids[i + 1] as number);
    }
    this.#ranks[length - 1] = NO_RANK;
  }

  #mergeShort(parts: number): number {
    const ids = this.#ids, ranks = this.#ranks, table = this.#table;
    this.#rankAll(parts);
    let length = parts;
    while (true) {
      let lowest = NO_RANK, at = 0;
      for (let i = 0; i + 1 < length; i++) {
        const rank = ranks[i] as number;
        if (rank < lowest) {
          lowest = rank;
          at = i;
        }
      }
      if (lowest === NO_RANK) return length;
      length--;
      ids[at] = table.merged[lowest] as number;
      for (let i = at + 1; i < length; i++) {
        ids[i] = ids[i + 1] as number;
        ranks[i] = ranks[i + 1] as number;
      }
      ranks[at] = at + 1 < length ? table.rank(ids[at] as number, ids[at + 1] as number) : NO_RANK;
      if (at > 0) ranks[at - 1] = table.rank(ids[at - 1] as number, ids[at] as number);
    }
  }

  /** The same in n · log n: parts are a linked list, pairs a heap by rank and position. */
  #mergeLong(length: number): number {
    const ids = this.#ids, ranks = this.#ranks, table = this.#table;
    const next = new Int32Array(length), previous = new Int32Array(length);
    const heap = new Heap(length);
    this.#rankAll(length);
    for (let i = 0; i < length; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      if (ranks[i] !== NO_RANK) heap.push((ranks[i] as number) * POSITIONS + i);
    }
    const update = (at: number) => {
      const after = next[at] as number;
      const rank = after < length ? table.rank(ids[at] as number, ids[after] as number) : NO_RANK;
      ranks[at] = rank;
      if (rank !== NO_RANK) heap.push(rank * POSITIONS + at);
    };
    while (heap.size > 0) {
      const lowest = heap.pop();
      const at = lowest % POSITIONS, rank = Math.floor(lowest / POSITIONS);
      // The pair at this place has become another one since it was pushed.
      if (ranks[at] !== rank) continue;
      const merged = next[at] as number;
      ids[at] = table.merged[rank] as number;
      ranks[merged] = NO_RANK;
      const after = next[merged] as number;
      next[at] = after;
      if (after < length) previous[after] = at;
      update(at);
      const before = previous[at] as number;
      if (before >= 0) update(before);
    }
    let count = 0;
    for (let at = 0; at < length; at = next[at] as number) ids[count++] = ids[at] as number;
    return count;
  }
}

/** A binary heap of doubles, the least on top. */
class Heap {
  #values: Float64Array;
  size = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  push(value: number): void {
    if (this.size === this.#values.length) {
      const grown = new Float64Array(2 * this.size);
      grown.set(this.#values);
      this.#values = grown;
    }
    const values = this.#values;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = values[parent] as number;
      if (above <= value) break;
      values[at] = above;
      at = parent;
    }
    values[at] = value;
  }

  pop(): number {
    const values = this.#values;
    const top = values[0] as number;
    const last = values[--this.size] as number;
    let at = 0;
    for (let child = 1; child < this.size; child = 2 * at + 1) {
      if (child + 1 < this.size && (values[child + 1] as number) < (values[child] as number)) child++;
      if ((values[child] as number) >= last) break;
      values[at] = values[child] as number;
      at = child;
    }
    values[at] = last;
    return top;
  }
}
