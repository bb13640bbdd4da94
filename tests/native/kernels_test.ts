/**
 * Every native kernel beside WebAssembly's on the same bytes: random shapes, strides and tails, subnormal numbers, signed
 * zeros, infinities and NaN. All memory is compared afterwards, so that a stray write shows as well.
 */
import assert from "node:assert/strict";
import { type Kernels, SHAPE } from "../../src/engine/exact/kernels.ts";
import { runSelfTest, SELF_TEST_DIGEST } from "../../src/engine/exact/native/self_test.ts";
import { KernelBench } from "../engine/kernel_fixture.ts";
import { AVAILABLE, LIBRARY } from "./available.ts";

const wasm = await KernelBench.open("relaxed", 20);
const FLOAT = 4;
/** The first page is left to the compiler's constants. */
const FIRST = 65536;
/** Words that operands and what surrounds them take; scratch memory lies behind them and is not compared. */
const ROOM = 80_000;
const SCRATCH = FIRST + 4 * ROOM;

/** Numbers that are the same for a seed on every machine. */
class Random {
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
type Numbers = "plain" | "edges";

const EDGES = Uint32Array.of(
  ...[0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff7fffff],
  ...[0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0x3f800000, 0xc2ae0000, 0x42ae0000],
);

/** Operands of one call, laid into the memory of both roads. */
class Operands {
  #next = FIRST;

  constructor(readonly random: Random, readonly numbers: Numbers, readonly buffers: readonly ArrayBufferLike[]) {
    for (const buffer of buffers) new Uint32Array(buffer, FIRST, ROOM).fill(0x7fc0beef);
  }

  floats(count: number, factor = 1): number {
    const words = new Uint32Array(count);
    const values = new Float32Array(words.buffer);
    for (let i = 0; i < count; i++) {
      const word = this.random.word();
      values[i] = (word / 2 ** 31 - 1) * 2 ** ((word >>> 3) % 9 - 4) * factor;
      if (this.numbers === "edges" && word % 11 === 0) words[i] = EDGES[(word >>> 8) % EDGES.length] ?? 0;
    }
    return this.#put(words);
  }

  tokens(count: number, vocabulary: number): number {
    const tokens = new Uint16Array(Math.ceil(count / 2) * 2);
    for (let i = 0; i < count; i++) tokens[i] = this.random.word() % vocabulary;
    return this.#put(new Uint32Array(tokens.buffer));
  }

  /** What a call leaves undefined. */
  readonly ignored: [address: number, floats: number][] = [];

  ignore(address: number, floats: number): void {
    this.ignored.push([address, floats]);
  }

  #put(words: Uint32Array): number {
    // Any multiple of four bytes: kernels may rely on no more.
    const address = this.#next + 4 * (this.random.word() % 16);
    for (const buffer of this.buffers) new Uint32Array(buffer, address, words.length).set(words);
    this.#next = address + 4 * words.length + 64;
    assert(this.#next < SCRATCH, "operands fit the room that is compared");
    return address;
  }
}

type Call = (k: Kernels) => number | void;
type Case = (o: Operands, r: Random) => Call;

const f = Math.fround;

function product(kernel: "matmulNN" | "matmulNT" | "matmulTN"): Case {
  return (o, r) => {
    const m = r.count(2, 60, 2), n = r.count(8, 80, 8), k = r.count(4, 90, 4);
    const [gapA, gapB, gapC] = [r.count(0, 12), r.count(0, 12), r.count(0, 12)];
    const lda = (kernel === "matmulTN" ? m : k) + gapA, ldb = (kernel === "matmulNT" ? k : n) + gapB, ldc = n + gapC;
    const a = o.floats((kernel === "matmulTN" ? k : m) * lda), b = o.floats((kernel === "matmulNT" ? n : k) * ldb);
    const c = o.floats(m * ldc), fresh = r.word() % 2 === 0;
    return (kernels) =>
      kernels[kernel](m, n, k, a, lda * FLOAT, b, ldb * FLOAT, c, ldc * FLOAT, SCRATCH, SHAPE.full, fresh);
  };
}

const CASES: Readonly<Partial<Record<keyof Kernels, Case>>> = {
  matmulNN: product("matmulNN"),
  matmulNT: product("matmulNT"),
  matmulTN: product("matmulTN"),
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

/** A NaN is a NaN: its sign and payload are the processor's, also in WebAssembly. */
function isSame(a: number, b: number): boolean {
  return a === b || ((a & 0x7fffffff) > 0x7f800000 && (b & 0x7fffffff) > 0x7f800000);
}

function bitsOf(x: number | void): number {
  return new Uint32Array(Float32Array.of(x ?? 0).buffer)[0] ?? 0;
}

for (const { name: set, title } of AVAILABLE) {
  const native = KernelBench.openNative(LIBRARY ?? "", set, 20);
  const buffers = [wasm.buffer, native.buffer];

  for (const [kernel, lay] of Object.entries(CASES)) {
    Deno.test(`${title}: ${kernel}() gives WebAssembly's bits, and writes nothing else`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = new Random(seed), operands = new Operands(random, seed % 3 === 0 ? "edges" : "plain", buffers);
        const call = lay(operands, random);
        const [expected, actual] = [call(wasm.kernels), call(native.kernels)].map(bitsOf) as [number, number];
        assert(isSame(actual, expected), `seed ${seed}: the result is ${actual}, expected ${expected}`);
        const [a, b] = buffers.map((buffer) => new Uint32Array(buffer, FIRST, ROOM)) as [Uint32Array, Uint32Array];
        for (const [address, floats] of operands.ignored) {
          for (const words of [a, b]) words.fill(0, (address - FIRST) / 4, (address - FIRST) / 4 + floats);
        }
        let at = 0;
        while (at < ROOM && isSame(a[at] ?? 0, b[at] ?? 0)) at++;
        assert(at === ROOM, `seed ${seed}: word ${at} is ${b[at]?.toString(16)}, expected ${a[at]?.toString(16)}`);
      }
    });
  }

  Deno.test(`${title}: the self-test gives the digest that is pinned`, async () => {
    assert.equal(await runSelfTest(native.kernels, native.buffer, FIRST), SELF_TEST_DIGEST);
  });
}

Deno.test("every kernel is compared, and at least one instruction set", { ignore: LIBRARY === undefined }, () => {
  assert.deepEqual(Object.keys(CASES).concat("fmaProbe").sort(), Object.keys(nativeNames()).sort());
  if (Deno.build.arch === "aarch64") assert(AVAILABLE.length > 0);
});

function nativeNames(): Kernels {
  const [first] = AVAILABLE;
  return first === undefined ? wasm.kernels : KernelBench.openNative(LIBRARY ?? "", first.name, 2).kernels;
}
