/**
 * numpy's legacy generator, from which GPT-NeoX draws its order: the Mersenne Twister MT19937, seeded by one number,
 * and the shuffle that numpy promises never to change.
 *
 * @see Matsumoto and Nishimura 1998, `init_genrand` of 2002; numpy `random/src/mt19937/mt19937.c`, `random_interval` of
 * `random/src/distributions/distributions.c`, and `RandomState.shuffle` of `random/mtrand.pyx`
 */

/** Words of the state. */
const N = 624;
const M = 397;
const MATRIX = 0x9908b0df;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;
const WORD = 4294967296;

/** The smallest 2^k − 1 that is not below a word. */
function maskOf(max: number): number {
  return max === 0 ? 0 : 0xffffffff >>> Math.clz32(max);
}

/**
 * `numpy.random.RandomState(seed)`.
 *
 * @example
 * ```ts
 * import { RandomState } from "./mt19937.ts";
 *
 * const values = Int32Array.of(0, 1, 2, 3, 4);
 * new RandomState(1234).shuffle(values);
 * console.log(values.join(" ")); // 4 0 1 2 3
 * ```
 */
export class RandomState {
  readonly #key = new Uint32Array(N);
  #position = N;

  /**
   * Seeds the generator.
   *
   * @param seed a whole number from 0 to 2^32 − 1
   * @throws {RangeError} for any other
   */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= WORD) {
      throw new RangeError(`Seed ${seed}, expected a whole number from 0 to 2^32 − 1`);
    }
    let word = seed;
    for (let i = 0; i < N; i++) {
      this.#key[i] = word;
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
    }
  }

  /** The next 32 random bits. */
  word(): number {
    if (this.#position === N) this.#generate();
    let y = this.#key[this.#position++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /**
   * A whole number from 0 to `max`, both included: as many low bits as `max` has, drawn again while they are more than
   * it. A `max` of up to 32 bits costs one word a try; above, two, of which the first is the high one.
   *
   * @param max a whole number from 0 to 2^53 − 1
   */
  interval(max: number): number {
    if (max === 0) return 0;
    if (max < WORD) return this.#below(max, maskOf(max));
    const mask = maskOf(Math.floor(max / WORD));
    for (;;) {
      const high = (this.word() & mask) >>> 0;
      const value = high * WORD + this.word();
      if (value <= max) return value;
    }
  }

  /** Shuffles a one-dimensional array in place: Fisher and Yates, from its end. */
  shuffle(values: Int32Array | Uint32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.#below(i, maskOf(i));
      const held = values[j] ?? 0;
      values[j] = values[i] ?? 0;
      values[i] = held;
    }
  }

  #below(max: number, mask: number): number {
    for (;;) {
      const value = (this.word() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** The next 624 words of the state. */
  #generate(): void {
    const key = this.#key;
    for (let i = 0; i < N; i++) {
      const next = i + 1 === N ? 0 : i + 1;
      const source = i + M < N ? i + M : i + M - N;
      const y = ((key[i] ?? 0) & UPPER) | ((key[next] ?? 0) & LOWER);
      key[i] = (key[source] ?? 0) ^ (y >>> 1) ^ (-(y & 1) & MATRIX);
    }
    this.#position = 0;
  }
}
