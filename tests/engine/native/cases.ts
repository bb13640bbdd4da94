/** Calls of every kernel on operands of random shapes: what tests compare and guard. */
import { type Kernels, SHAPE } from "../../../src/engine/exact/kernels.ts";

const FLOAT = 4;

/** Numbers that are the same for a seed on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 88172645) >>> 0 || 1;
  }

  word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }

  /** A whole number from `low` to `high` that is a multiple of `unit`. */
  count(low: number, high: number, unit = 1): number {
    return Math.max(low, Math.floor((low + this.word() % (high - low + 1)) / unit) * unit);
  }
}

/** What operands hold: numbers of many magnitudes, or those at the edges of f32 too. */
export type Numbers = "plain" | "edges";

const EDGES = Uint32Array.of(
  ...[0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff7fffff],
  ...[0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0x3f800000, 0xc2ae0000, 0x42ae0000],
);

/** Where a call's operands lie. */
export interface Operands {
  readonly numbers: Numbers;
  /** scratch memory of a matmul */
  readonly scratch: number;
  /** Address of floats, random times `factor`. */
  floats(count: number, factor?: number): number;
  /** Address of a square matrix whose elements beyond one side of the diagonal are zero. */
  triangle(size: number, zero: "above" | "below"): number;
  tokens(count: number, vocabulary: number): number;
  /** What the call leaves undefined. */
  ignore(address: number, floats: number): void;
}

/** The bits of random floats. */
export function randomFloats(random: Random, numbers: Numbers, count: number, factor: number): Uint32Array {
  const words = new Uint32Array(count);
  const values = new Float32Array(words.buffer);
  for (let i = 0; i < count; i++) {
    const word = random.word();
    values[i] = (word / 2 ** 31 - 1) * 2 ** ((word >>> 3) % 9 - 4) * factor;
    if (numbers === "edges" && word % 11 === 0) words[i] = EDGES[(word >>> 8) % EDGES.length] ?? 0;
  }
  return words;
}

/** Clears one side of a square matrix. */
export function clearSide(words: Uint32Array, size: number, zero: "above" | "below"): void {
  for (let row = 0; row < size; row++) {
    if (zero === "above") words.fill(0, row * size + row + 1, (row + 1) * size);
    else words.fill(0, row * size, row * size + row);
  }
}

/** A kernel's call. */
export type Call = (k: Kernels) => number | void;
/** Lays operands of a random shape and says how the kernel is called on them. */
export type Case = (o: Operands, r: Random) => Call;

const f = Math.fround;

function product(kernel: "matmulNN" | "matmulNT" | "matmulTN"): Case {
  return (o, r) => {
    const m = r.count(2, 60, 2), n = r.count(8, 80, 8), k = r.count(4, 90, 4);
    const [gapA, gapB, gapC] = [r.count(0, 12), r.count(0, 12), r.count(0, 12)];
    const lda = (kernel === "matmulTN" ? m : k) + gapA, ldb = (kernel === "matmulNT" ? k : n) + gapB, ldc = n + gapC;
    const a = o.floats((kernel === "matmulTN" ? k : m) * lda), b = o.floats((kernel === "matmulNT" ? n : k) * ldb);
    const c = o.floats(m * ldc), fresh = r.word() % 2 === 0;
    return (kernels) =>
      kernels[kernel](m, n, k, a, lda * FLOAT, b, ldb * FLOAT, c, ldc * FLOAT, o.scratch, SHAPE.full, fresh);
  };
}

/** By the name of the kernel, and what of it is meant. */
export const CASES: Readonly<Record<string, Case>> = {
  matmulNN: product("matmulNN"),
  matmulNT: product("matmulNT"),
  matmulTN: product("matmulTN"),
  "matmulNT lower": (o, r) => {
    const size = r.count(8, 72, 8), d = r.count(8, 48, 4), stride = (d + r.count(0, 9)) * FLOAT;
    const a = o.floats(size * stride / FLOAT), b = o.floats(size * stride / FLOAT), c = o.floats(size * size);
    for (let i = 0; i < size; i++) o.ignore(c + (i * size + i + 1) * FLOAT, size - i - 1);
    return (k) => k.matmulNT(size, size, d, a, stride, b, stride, c, size * FLOAT, o.scratch, SHAPE.lower, true);
  },
  "matmulNN ends at row": (o, r) => {
    const size = r.count(8, 72, 8), d = r.count(8, 48, 8), row = size * FLOAT;
    const a = o.triangle(size, "above"), b = o.floats(size * d), c = o.floats(size * d);
    return (k) => k.matmulNN(size, d, size, a, row, b, d * FLOAT, c, d * FLOAT, o.scratch, SHAPE.endsAtRow, true);
  },
  "matmulTN starts at row": (o, r) => {
    const size = r.count(8, 72, 8), d = r.count(8, 48, 8), row = size * FLOAT;
    const a = o.triangle(size, "above"), b = o.floats(size * d), c = o.floats(size * d);
    return (k) => k.matmulTN(size, d, size, a, row, b, d * FLOAT, c, d * FLOAT, o.scratch, SHAPE.startsAtRow, true);
  },
  normalize: (o, r) => {
    const rows = r.count(1, 9), width = r.count(8, 200, 4);
    const x = o.floats(rows * width), y = o.floats(rows * width), rstds = o.floats(rows);
    return (k) => k.normalize(x, y, rstds, rows, width, f(1e-5));
  },
  scaleAndShift: (o, r) => {
    const rows = r.count(1, 9), width = r.count(8, 100, 4);
    const x = o.floats(rows * width), gamma = o.floats(width), beta = o.floats(width), y = o.floats(rows * width);
    return (k) => k.scaleAndShift(x, gamma, beta, y, rows, width);
  },
  scaleGradient: (o, r) => {
    const rows = r.count(1, 9), width = r.count(8, 100, 4), join = r.word() % 2 === 0;
    const dy = o.floats(rows * width), gamma = o.floats(width), d = o.floats(rows * width);
    return (k) => k.scaleGradient(dy, gamma, d, rows, width, join);
  },
  normalizeBackward: (o, r) => {
    const rows = r.count(1, 9), width = r.count(8, 200, 4);
    const d = o.floats(rows * width), x = o.floats(rows * width), rstds = o.floats(rows), dx = o.floats(rows * width);
    return (k) => k.normalizeBackward(d, x, rstds, dx, rows, width);
  },
  gelu: (o, r) => {
    const n = r.count(4, 300, 4), x = o.floats(n, r.count(1, 20)), derivative = o.floats(n);
    return (k) => k.gelu(x, derivative, n);
  },
  geluForward: (o, r) => {
    const n = r.count(4, 300, 4), x = o.floats(n, r.count(1, 20));
    return (k) => k.geluForward(x, n);
  },
  rotate: (o, r) => {
    const rows = r.count(1, 9), heads = r.count(1, 4), headSize = r.count(8, 48, 4), half = r.count(1, headSize / 2);
    const qkv = o.floats(rows * heads * 3 * headSize), cosines = o.floats(rows * half), sines = o.floats(rows * half);
    const sign = r.word() % 2 === 0 ? 1 : -1;
    return (k) => k.rotate(qkv, cosines, sines, rows, heads, headSize, half, sign);
  },
  causalSoftmax: (o, r) => {
    const size = r.count(8, 96, 8), scores = o.floats(size * size, 8), scale = f(1 / r.count(1, 9));
    // A row that is not a number has no defined zeros beyond its diagonal.
    if (o.numbers === "edges") {
      for (let i = 0; i < size; i++) {
        o.ignore(scores + (i * size + i + 1) * 4, size - i - 1);
      }
    }
    return (k) => k.causalSoftmax(scores, size, size, scale);
  },
  causalSoftmaxBackward: (o, r) => {
    const size = r.count(8, 72, 8), headSize = r.count(8, 48, 4), stride = headSize + r.count(0, 9);
    const p = o.floats(size * size), gradients = o.floats(size * size);
    const output = o.floats(size * stride), outputGradient = o.floats(size * stride), scale = f(0.3);
    return (k) =>
      k.causalSoftmaxBackward(p, gradients, output, outputGradient, stride * 4, size, size, headSize, scale);
  },
  crossEntropy: (o, r) => {
    const rows = r.count(4, 12, 4), width = r.count(8, 200, 8), weight = r.word() % 2 === 0 ? 0 : f(0.01);
    const logits = o.floats(rows * width, 20), targets = o.tokens(rows, width), losses = o.floats(rows);
    if (weight === 0) o.ignore(logits, rows * width); // spent
    return (k) => k.crossEntropy(logits, targets, losses, rows, width, weight);
  },
  gatherRows: (o, r) => {
    const rows = r.count(1, 20), width = r.count(8, 100, 4), vocabulary = r.count(2, 30);
    const table = o.floats(vocabulary * width), tokens = o.tokens(rows, vocabulary), x = o.floats(rows * width);
    return (k) => k.gatherRows(table, tokens, x, rows, width);
  },
  scatterAddRows: (o, r) => {
    const rows = r.count(1, 20), width = r.count(8, 100, 4), vocabulary = r.count(2, 30);
    const table = o.floats(vocabulary * width), tokens = o.tokens(rows, vocabulary), dx = o.floats(rows * width);
    return (k) => k.scatterAddRows(table, tokens, dx, rows, width);
  },
  add: (o, r) => {
    const n = r.count(4, 300, 4), y = o.floats(n), x = o.floats(n);
    return (k) => k.add(y, x, n);
  },
  multiply: (o, r) => {
    const n = r.count(4, 300, 4), y = o.floats(n), x = o.floats(n);
    return (k) => k.multiply(y, x, n);
  },
  addBias: (o, r) => {
    const rows = r.count(1, 20), width = r.count(8, 100, 4), y = o.floats(rows * width), bias = o.floats(width);
    return (k) => k.addBias(y, bias, rows, width);
  },
  addColumnSums: (o, r) => {
    const rows = r.count(1, 140), width = r.count(8, 100, 4), dy = o.floats(rows * width), sums = o.floats(width);
    return (k) => k.addColumnSums(dy, sums, rows, width);
  },
  addColumnSumsOfProducts: (o, r) => {
    const rows = r.count(1, 140), width = r.count(8, 100, 4), dy = o.floats(rows * width);
    const x = o.floats(rows * width), sums = o.floats(width);
    return (k) => k.addColumnSumsOfProducts(dy, x, sums, rows, width);
  },
  fill: (o, r) => {
    const n = r.count(4, 300, 4), y = o.floats(n), value = f(r.word() / 2 ** 31);
    return (k) => k.fill(y, n, value);
  },
  sumOfSquares: (o, r) => {
    const n = r.count(4, 500, 4), g = o.floats(n);
    return (k) => k.sumOfSquares(g, n);
  },
  adamw: (o, r) => {
    const n = r.count(4, 300, 4), w = o.floats(n), m = o.floats(n), v = o.floats(n, 2 ** -20), g = o.floats(n);
    return (k) => k.adamw(w, m, v, g, n, f(0.7), f(0.9), f(0.1), f(0.95), f(0.05), f(1e-3), f(0.3), f(1e-8), f(0.9999));
  },
};
