/**
 * A few milliseconds of every kernel on fixed numbers, before anything is trained on them: the digest of what comes out
 * is known, so that a library, a processor or a virtual machine that computes other bits is found out at the start.
 */
import { type Kernels, SHAPE } from "../kernels.ts";

const FLOAT = 4;
/** Memory that the test works in. */
export const SELF_TEST_BYTES = 2 ** 20;

/** What every road gives; a test computes it by the WebAssembly kernels. */
export const SELF_TEST_DIGEST = "fa2cfb78b6562d44ac0f6af6d48d9f48d31a0518bc7abfba87f59c5016d43ccd";

/** Room in the memory, handed out front to back and filled with numbers between −1 and 1. */
class Numbers {
  readonly #buffer: ArrayBufferLike;
  #next: number;
  #state = 2463534242;

  constructor(buffer: ArrayBufferLike, first: number) {
    this.#buffer = buffer;
    this.#next = first;
  }

  /** Marsaglia's xorshift: the same numbers on every machine. */
  #word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }

  /** Address of `count` floats, times a factor. */
  floats(count: number, factor = 1): number {
    const floats = new Float32Array(this.#buffer, this.#next, count);
    for (let i = 0; i < count; i++) floats[i] = (this.#word() / 2 ** 31 - 1) * factor;
    return this.#take(count * FLOAT);
  }

  /** Address of `count` tokens below `vocabulary`. */
  tokens(count: number, vocabulary: number): number {
    const tokens = new Uint16Array(this.#buffer, this.#next, count);
    for (let i = 0; i < count; i++) tokens[i] = this.#word() % vocabulary;
    return this.#take(count * 2);
  }

  #take(bytes: number): number {
    const address = this.#next;
    this.#next += Math.ceil(bytes / 64) * 64;
    return address;
  }
}

/**
 * Runs every kernel once or twice, over tiles and vectors that are whole and in part.
 *
 * @param buffer the kernels' memory, from `first` on at least `SELF_TEST_BYTES`
 * @returns SHA-256 of all memory that was worked in, in hexadecimal
 */
export async function runSelfTest(kernels: Kernels, buffer: ArrayBufferLike, first = 0): Promise<string> {
  const k = kernels;
  new Uint8Array(buffer, first, SELF_TEST_BYTES).fill(0);
  const numbers = new Numbers(buffer, first);
  // T tokens, h hidden, m intermediate, V vocabulary, two heads of d.
  const T = 56, h = 40, m = 72, V = 88, d = 24;
  const panel = numbers.floats(512 * 8 + 258 * 512);
  const x = numbers.floats(T * h), normalized = numbers.floats(T * h), rstds = numbers.floats(T);
  const gamma = numbers.floats(h), beta = numbers.floats(h), y = numbers.floats(T * h);
  k.normalize(x, normalized, rstds, T, h, 1e-5);
  k.scaleAndShift(normalized, gamma, beta, y, T, h);

  const weights = numbers.floats(m * h, 4), hidden = numbers.floats(T * m), slopes = numbers.floats(T * m);
  k.matmulNT(T, m, h, y, h * FLOAT, weights, h * FLOAT, hidden, m * FLOAT, panel, SHAPE.full, true);
  k.addBias(hidden, numbers.floats(m), T, m);
  k.gelu(hidden, slopes, T * m);
  const gradient = numbers.floats(m * h), back = numbers.floats(T * h);
  k.matmulTN(m, h, T, hidden, m * FLOAT, y, h * FLOAT, gradient, h * FLOAT, panel, SHAPE.full, false);
  k.multiply(hidden, slopes, T * m);
  k.matmulNN(T, h, m, hidden, m * FLOAT, weights, h * FLOAT, back, h * FLOAT, panel, SHAPE.full, true);
  k.geluForward(slopes, T * m);

  const qkv = numbers.floats(T * 6 * d), half = 6;
  k.rotate(qkv, numbers.floats(T * half), numbers.floats(T * half), T, 2, d, half, -1);
  const scores = numbers.floats(T * T), scoreGradient = numbers.floats(T * T), attended = numbers.floats(T * d);
  const row = 6 * d * FLOAT, key = qkv + d * FLOAT, value = key + d * FLOAT;
  k.matmulNT(T, T, d, qkv, row, key, row, scores, T * FLOAT, panel, SHAPE.lower, true);
  k.causalSoftmax(scores, T, T, Math.fround(0.7));
  zeroAboveDiagonal(new Float32Array(buffer, scores, T * T), T);
  k.matmulNN(T, d, T, scores, T * FLOAT, value, row, attended, d * FLOAT, panel, SHAPE.endsAtRow, true);
  k.causalSoftmaxBackward(scores, scoreGradient, attended, attended, d * FLOAT, T, T, d, Math.fround(0.7));
  zeroAboveDiagonal(new Float32Array(buffer, scoreGradient, T * T), T);
  k.matmulTN(T, d, T, scoreGradient, T * FLOAT, qkv, row, attended, d * FLOAT, panel, SHAPE.startsAtRow, true);

  const logits = numbers.floats(T * V, 30), losses = numbers.floats(T);
  const scalars = [k.crossEntropy(logits, numbers.tokens(T, V), losses, T, V, Math.fround(0.01))];
  k.scaleGradient(back, gamma, y, T, h, false);
  k.scaleGradient(back, beta, y, T, h, true);
  k.normalizeBackward(y, normalized, rstds, back, T, h);
  k.addColumnSums(hidden, numbers.floats(m), T, m);
  k.addColumnSumsOfProducts(back, normalized, gamma, T, h);
  const table = numbers.floats(V * h), tokens = numbers.tokens(T, V);
  k.scatterAddRows(table, tokens, back, T, h);
  k.gatherRows(table, tokens, x, T, h);
  k.add(x, back, T * h);
  scalars.push(k.sumOfSquares(gradient, m * h));
  const moments = numbers.floats(m * h), squares = numbers.floats(m * h);
  k.multiply(squares, squares, m * h);
  const f = Math.fround;
  k.adamw(
    weights,
    moments,
    squares,
    gradient,
    m * h,
    f(0.7),
    f(0.9),
    f(0.1),
    f(0.95),
    f(0.05),
    f(1e-3),
    f(0.3),
    f(1e-8),
    1,
  );
  k.fill(losses, T, f(0.1));

  // Scratch holds what each road packs in its own way.
  const after = new Uint8Array(buffer, first, SELF_TEST_BYTES).slice();
  after.fill(0, panel - first, x - first);
  after.set(new Uint8Array(Float32Array.of(...scalars, k.fmaProbe(1.5, 2.5, -0.25)).buffer));
  return hex(await crypto.subtle.digest("SHA-256", after));
}

/** Clears what the masked kernels leave undefined. */
function zeroAboveDiagonal(scores: Float32Array, size: number): void {
  for (let row = 0; row < size; row++) scores.fill(0, row * size + row + 1, (row + 1) * size);
}

/** Bytes in hexadecimal. */
export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
