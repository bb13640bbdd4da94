/**
 * Run by guard_pages_test.ts in a process of its own: every kernel with each operand at the very end of its pages, and
 * then at their very beginning, between pages that may not be touched. One read or write beside an operand ends the
 * process.
 */
import { linkNativeKernels } from "../../../src/engine/exact/native/link.ts";
import { AVAILABLE, LIBRARY } from "./available.ts";
import { CASES, clearSide, type Numbers, type Operands, Random, randomFloats } from "./cases.ts";

const PAGE = 4096;
const ROOM = 4096 * PAGE;
const [PROT_NONE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS] = [0, 3, Deno.build.os === "darwin" ? 0x1002 : 0x22];

const system = Deno.dlopen(Deno.build.os === "darwin" ? "libSystem.dylib" : "libc.so.6", {
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
}).symbols;

const base = system.mmap(null, BigInt(ROOM), PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
if (base === null) throw new Error("No memory");
const start = Deno.UnsafePointer.value(base);
const buffer = Deno.UnsafePointerView.getArrayBuffer(base, ROOM);

function protect(address: number, bytes: number, protection: number): void {
  const at = Deno.UnsafePointer.create(BigInt(start) + BigInt(address));
  if (system.mprotect(at, BigInt(bytes), protection) !== 0) throw new Error("mprotect failed");
}

/** Every operand on pages of its own. */
class GuardedOperands implements Operands {
  readonly numbers: Numbers = "plain";
  readonly scratch: number;
  #next = PAGE;

  constructor(readonly random: Random, readonly place: "end" | "beginning") {
    protect(0, ROOM, PROT_NONE);
    this.scratch = this.#take((512 * 8 + 258 * 512) * 4);
  }

  floats(count: number, factor = 1): number {
    return this.#put(new Uint8Array(randomFloats(this.random, "plain", count, factor).buffer));
  }

  triangle(size: number, zero: "above" | "below"): number {
    const words = randomFloats(this.random, "plain", size * size, 1);
    clearSide(words, size, zero);
    return this.#put(new Uint8Array(words.buffer));
  }

  tokens(count: number, vocabulary: number): number {
    return this.#put(new Uint8Array(Uint16Array.from({ length: count }, () => this.random.word() % vocabulary).buffer));
  }

  ignore(): void {}

  #put(bytes: Uint8Array): number {
    const address = this.#take(bytes.length);
    new Uint8Array(buffer, address, bytes.length).set(bytes);
    return address;
  }

  #take(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE) * PAGE;
    const first = this.#next;
    if (first + pages + PAGE > ROOM) throw new Error("The operands do not fit");
    protect(first, pages, PROT_READ_WRITE);
    this.#next += pages + PAGE;
    return this.place === "end" ? first + pages - bytes : first;
  }
}

if (Deno.args[0] === "--beyond") {
  // Proves that the guard holds: this must not survive.
  const kernels = linkNativeKernels(LIBRARY ?? "", AVAILABLE[0]?.name ?? "avx2", buffer);
  const operands = new GuardedOperands(new Random(1), "end");
  kernels.fill(operands.floats(16), 20, 1);
  console.log("survived");
  Deno.exit(0);
}
let calls = 0;
for (const { name } of AVAILABLE) {
  const kernels = linkNativeKernels(LIBRARY ?? "", name, buffer);
  for (const lay of Object.values(CASES)) {
    for (let seed = 1; seed <= 40; seed++) {
      for (const place of ["end", "beginning"] as const) {
        const random = new Random(seed);
        lay(new GuardedOperands(random, place), random)(kernels);
        calls++;
      }
    }
  }
}
console.log(`${calls} calls`);
