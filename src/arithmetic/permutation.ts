/**
 * A shuffled order as a function of the index: no table, no state, so that a corpus of any size can be read in a
 * random order that any machine rebuilds from the seed.
 */
import { philox } from "./philox.ts";

/** Largest number of elements: both halves of an element then fit in 20 bits. */
const MAX_SIZE = 2 ** 40;
/** Eight rounds of an ideal round function are far beyond what a test of randomness can tell from a true shuffle. */
const ROUNDS = 8;

/**
 * A pseudorandom bijection of [0, size).
 *
 * A Feistel network over pairs (left, right) with left < a and right < b, where a · b ≥ size is as tight as whole
 * numbers allow; its round function is Philox. Results beyond `size` are walked on along their cycle until they fall
 * inside, which keeps the map a bijection. O(1) memory, about one walk an index.
 *
 * @see Black and Rogaway, "Ciphers with arbitrary finite domains" (CT-RSA 2002), for both ideas
 *
 * @example
 * ```ts
 * import { Permutation } from "./permutation.ts";
 *
 * const order = new Permutation(5, 1234, [0, 0, 3]);
 * console.log([0, 1, 2, 3, 4].map((position) => order.at(position)).sort()); // [ 0, 1, 2, 3, 4 ]
 * ```
 */
export class Permutation {
  readonly size: number;
  readonly #leftSize: number;
  readonly #rightSize: number;
  readonly #key: readonly [number, number];
  readonly #stream: readonly [number, number, number];
  readonly #words = new Uint32Array(4);

  /**
   * @param size number of elements, from 1 to 2^40
   * @param seed an integer from 0 to 2^53 − 1
   * @param stream the last three words of every Philox counter, so that purposes never share a value
   * @throws {RangeError} if `size` or `seed` is out of range
   */
  constructor(
    size: number,
    seed: number,
    stream: readonly [number, number, number],
  ) {
    if (!Number.isSafeInteger(size) || size < 1 || size > MAX_SIZE) {
      throw new RangeError(
        `Permutation of ${size} elements, expected a whole number from 1 to 2^40`,
      );
    }
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(
        `Permutation with seed ${seed}, expected a whole number from 0 to 2^53 − 1`,
      );
    }
    this.size = size;
    // sqrt is correctly rounded, and ceil of it squared covers `size` for every size up to 2^40.
    this.#leftSize = Math.ceil(Math.sqrt(size));
    this.#rightSize = Math.ceil(size / this.#leftSize);
    this.#key = [seed >>> 0, Math.floor(seed / 4294967296) >>> 0];
    this.#stream = stream;
  }

  /**
   * The element at a position of the shuffled order.
   *
   * @param position from 0 to `size` − 1
   * @throws {RangeError} if `position` is outside
   */
  at(position: number): number {
    if (
      !Number.isSafeInteger(position) || position < 0 || position >= this.size
    ) {
      throw new RangeError(
        `Position ${position} in a permutation of ${this.size} elements`,
      );
    }
    let element = position;
    do {
      element = this.#encipher(element);
    } while (element >= this.size);
    return element;
  }

  #encipher(element: number): number {
    let left = Math.floor(element / this.#rightSize);
    let right = element % this.#rightSize;
    for (let round = 0; round < ROUNDS; round += 2) {
      left = (left + this.#random(round, right, this.#leftSize)) %
        this.#leftSize;
      right = (right + this.#random(round + 1, left, this.#rightSize)) %
        this.#rightSize;
    }
    return left * this.#rightSize + right;
  }

  /** Below `bound`, nearly uniform: the product stays under 2^52, where doubles are exact. */
  #random(round: number, half: number, bound: number): number {
    philox(this.#key, [round * 2 ** 24 + half, ...this.#stream], this.#words);
    return Math.floor((this.#words[0] ?? 0) * bound / 4294967296);
  }
}
