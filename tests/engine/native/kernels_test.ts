/**
 * Every native kernel beside WebAssembly's on the same bytes: random shapes, strides and tails, subnormal numbers, signed
 * zeros, infinities and NaN. All memory is compared afterwards, so that a stray write shows as well.
 */
import assert from "node:assert/strict";
import type { Kernels } from "../../../src/engine/exact/kernels.ts";
import { linkNativeKernels } from "../../../src/engine/exact/native/link.ts";
import { runSelfTest, SELF_TEST_BYTES, SELF_TEST_DIGEST } from "../../../src/engine/exact/native/self_test.ts";
import { KernelBench } from "../kernel_fixture.ts";
import { AVAILABLE, LIBRARY } from "./available.ts";
import { CASES, clearSide, type Numbers, type Operands, Random, randomFloats } from "./cases.ts";

const wasm = await KernelBench.open("relaxed", 20);
/** The first page is left to the compiler's constants. */
const FIRST = 65536;
/** Words that operands and what surrounds them take; scratch memory lies behind them and is not compared. */
const ROOM = 80_000;
const SCRATCH = FIRST + 4 * ROOM;

/** Operands in the memory of both roads, among NaN that show a stray write. */
class SharedOperands implements Operands {
  readonly scratch = SCRATCH;
  readonly ignored: [address: number, floats: number][] = [];
  #next = FIRST;

  constructor(readonly random: Random, readonly numbers: Numbers, readonly buffers: readonly ArrayBufferLike[]) {
    for (const buffer of buffers) new Uint32Array(buffer, FIRST, ROOM).fill(0x7fc0beef);
  }

  floats(count: number, factor = 1): number {
    return this.#put(randomFloats(this.random, this.numbers, count, factor));
  }

  triangle(size: number, zero: "above" | "below"): number {
    const words = randomFloats(this.random, this.numbers, size * size, 1);
    clearSide(words, size, zero);
    return this.#put(words);
  }

  tokens(count: number, vocabulary: number): number {
    const tokens = new Uint16Array(Math.ceil(count / 2) * 2);
    for (let i = 0; i < count; i++) tokens[i] = this.random.word() % vocabulary;
    return this.#put(new Uint32Array(tokens.buffer));
  }

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
    Deno.test(`${title}: ${kernel} gives WebAssembly's bits, and writes nothing else`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        // Masked pairs may be skipped or count as +0 · V (docs/arithmetic.md), which is the same where V is finite.
        const edges = seed % 3 === 0 && !kernel.endsWith("at row");
        const random = new Random(seed);
        const operands = new SharedOperands(random, edges ? "edges" : "plain", buffers);
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

Deno.test("kernels reach memory beyond 4 GiB", { ignore: AVAILABLE.length === 0 }, async () => {
  const far = 2 ** 32 + 2 ** 20;
  const buffer = new SharedArrayBuffer(far + SELF_TEST_BYTES); // untouched pages take no memory
  for (const { name } of AVAILABLE) {
    assert.equal(await runSelfTest(linkNativeKernels(LIBRARY ?? "", name, buffer), buffer, far), SELF_TEST_DIGEST);
  }
});

Deno.test("every kernel is compared, and at least one instruction set", { ignore: LIBRARY === undefined }, () => {
  assert.deepEqual(
    [...new Set(Object.keys(CASES).map((name) => name.split(" ")[0])), "fmaProbe"].sort(),
    Object.keys(nativeNames()).sort(),
  );
  if (Deno.build.arch === "aarch64") assert(AVAILABLE.length > 0);
});

function nativeNames(): Kernels {
  const [first] = AVAILABLE;
  return first === undefined ? wasm.kernels : KernelBench.openNative(LIBRARY ?? "", first.name, 2).kernels;
}
