/** Kernels linked to a memory of the tests' own, with the functions that the engine does not export. */
import {
  compileKernels,
  type FmaKind,
  instantiateKernels,
  KERNEL_FILES,
  kernelModules,
  type Kernels,
} from "../../src/engine/exact/kernels.ts";

import { linkNativeKernels } from "../../src/engine/exact/native/link.ts";
import type { InstructionSet } from "../../src/engine/exact/native/instruction_sets.ts";

/** Functions that the engine uses only inside other kernels. */
interface InnerFunctions {
  /** x (n) → e^x in place, x ≤ 0; n a multiple of 4 */
  expInPlace(x: number, n: number): void;
  /** x (n) → ln x in place, x ≥ 1 */
  logInPlace(x: number, n: number): void;
  /** (a, b, c) (3, n) → fma(a, b, c) in place of a; n a multiple of 4 */
  fmaInPlace(x: number, n: number): void;
}

const INNER_FUNCTIONS = `
import { expOfNegative, logOfAtLeastOne } from "./elementary";
import { fma } from "./fma";
export function expInPlace(x: usize, n: i32): void {
  for (let i = 0; i < n; i += 4, x += 16) v128.store(x, expOfNegative(v128.load(x)));
}
export function logInPlace(x: usize, n: i32): void {
  for (let i = 0; i < n; i++, x += 4) store<f32>(x, logOfAtLeastOne(load<f32>(x)));
}
export function fmaInPlace(x: usize, n: i32): void {
  const row = <usize> n * 4;
  for (let i = 0; i < n; i += 4, x += 16) {
    v128.store(x, fma(v128.load(x), v128.load(x + row), v128.load(x + 2 * row)));
  }
}
`;

/** Floats before and behind every operand. */
const MARGIN = 64;
const FIRST_ADDRESS = 65536; // the first page holds the compiler's constants

/** Kernels with a memory that is handed out front to back. */
export class KernelBench<Functions extends Kernels = Kernels> {
  readonly buffer: ArrayBufferLike;
  #next = FIRST_ADDRESS;
  #margins: Float32Array[] = [];

  private constructor(readonly kernels: Functions, buffer: ArrayBufferLike) {
    this.buffer = buffer;
  }

  /** Compiles the kernels and links them. */
  static async open(fma: FmaKind, pages = 400): Promise<KernelBench<Kernels & InnerFunctions>> {
    const sources = await Promise.all(KERNEL_FILES.map(async (name): Promise<[string, string]> => [
      name,
      await Deno.readTextFile(new URL(`../../src/engine/exact/kernels/${name}`, import.meta.url)),
    ]));
    const modules = kernelModules(new Map(sources), fma);
    modules.set("index.ts", modules.get("index.ts") + INNER_FUNCTIONS);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    const kernels = await instantiateKernels(await WebAssembly.compile(await compileKernels(modules)), memory);
    return new KernelBench(kernels as Kernels & InnerFunctions, memory.buffer);
  }

  /** Links native kernels. */
  static openNative(library: string, set: InstructionSet, pages = 400): KernelBench {
    const buffer = new SharedArrayBuffer(pages * 65536);
    return new KernelBench(linkNativeKernels(library, set, buffer), buffer);
  }

  /** Takes room for floats between margins of NaN: what is read from them spoils results, see also `marginsAreWhole`. */
  take(floats: number): Float32Array {
    const address = this.#next;
    const room = Math.ceil(floats / 16) * 16 + 2 * MARGIN;
    this.#next += room * 4;
    if (this.#next > this.buffer.byteLength) throw new Error("The bench's memory is full");
    const all = new Float32Array(this.buffer, address, room).fill(NaN);
    this.#margins.push(all.subarray(0, MARGIN), all.subarray(MARGIN + floats));
    return all.subarray(MARGIN, MARGIN + floats);
  }

  /** Whether nothing was written beside what `take` gave. */
  marginsAreWhole(): boolean {
    return this.#margins.every((margin) => margin.every(Number.isNaN));
  }

  /** Gives all room back. */
  reset(): void {
    this.#next = FIRST_ADDRESS;
    this.#margins = [];
  }
}
