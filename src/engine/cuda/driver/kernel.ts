/** A kernel that can be launched: its handle, the block its parameters are packed into, and what it uses. */
import { addressOf } from "./host_memory.ts";
import { requireLive, type View } from "./view.ts";

/**
 * Parameters of a kernel in order, a letter each: `p` a pointer ({@linkcode View}), `u` an unsigned and `i` a signed
 * 32-bit integer, `f` an f32, `l` an unsigned 64-bit integer.
 */
export type Signature = string;

type ArgumentOf<Letter> = Letter extends "p" ? View
  : Letter extends "l" ? number | bigint
  : Letter extends "u" | "i" | "f" ? number
  : never;

/** Arguments that a signature asks for: `"pu"` gives `[View, number]`. */
export type Arguments<S extends Signature> = string extends S ? (View | number | bigint)[]
  : S extends `${infer Letter}${infer Rest}` ? [ArgumentOf<Letter>, ...Arguments<Rest>]
  : [];

/** Threads of a launch. */
export interface LaunchShape {
  /** blocks: along x, or along x, y and z */
  readonly grid: number | readonly [number, number, number];
  /** threads a block, along x */
  readonly block: number;
  /** dynamic shared memory a block; default: none */
  readonly sharedBytes?: number;
}

/** What the compiler made of a kernel. */
export interface KernelResources {
  /** threads a block may have at most, given its registers */
  readonly maxThreadsPerBlock: number;
  /** 32-bit registers a thread */
  readonly registers: number;
  /** bytes a thread keeps outside registers: arrays and spills */
  readonly localBytes: number;
  /** static shared memory a block */
  readonly sharedBytes: number;
}

const BYTES: Readonly<Record<string, number>> = { p: 8, l: 8, u: 4, i: 4, f: 4 };

/** A kernel of a loaded module. */
export class Kernel<S extends Signature = Signature> {
  /** `void**` of cuLaunchKernel: the address of each parameter */
  readonly table: BigUint64Array<ArrayBuffer>;
  /** dynamic shared memory that launches may use so far; 48 KiB needs no asking */
  dynamicSharedLimit: number;
  readonly #values: DataView<ArrayBuffer>;
  readonly #offsets: readonly number[];

  /** @throws {RangeError} if the signature has an unknown letter */
  constructor(
    readonly name: string,
    readonly signature: S,
    readonly handle: bigint,
    readonly resources: KernelResources,
    /** false once its module is freed */
    readonly module: { readonly live: boolean },
  ) {
    this.dynamicSharedLimit = Math.max(0, 48 * 1024 - resources.sharedBytes);
    const offsets: number[] = [];
    let end = 0;
    for (const letter of signature) {
      const size = BYTES[letter];
      if (size === undefined) throw new RangeError(`Kernel "${name}": a signature has no "${letter}" (p, u, i, f, l)`);
      const offset = Math.ceil(end / size) * size;
      offsets.push(offset);
      end = offset + size;
    }
    const block = new Uint8Array(new ArrayBuffer(Math.max(8, end)));
    const base = addressOf(block);
    this.#values = new DataView(block.buffer);
    this.#offsets = offsets;
    this.table = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, offsets.length)));
    offsets.forEach((offset, i) => this.table[i] = base + BigInt(offset));
  }

  /**
   * Packs the arguments of the next launch.
   *
   * @throws {RangeError} if their number, kind or range is not the signature's
   * @throws {Error} if the kernel's module or the memory of a view was freed
   */
  pack(args: readonly (View | number | bigint)[]): void {
    const { signature } = this;
    if (!this.module.live) throw new Error(`Kernel "${this.name}" belongs to a module that was freed`);
    if (args.length !== signature.length) {
      throw new RangeError(
        `Kernel "${this.name}" takes ${signature.length} arguments (${signature}), not ${args.length}`,
      );
    }
    for (let i = 0; i < args.length; i++) {
      const letter = signature[i];
      const value = args[i];
      const offset = this.#offsets[i] ?? 0;
      if (letter === "p" && typeof value === "object") {
        requireLive(value);
        this.#values.setBigUint64(offset, value.address, true);
      } else if (letter === "f" && typeof value === "number") {
        this.#values.setFloat32(offset, value, true);
      } else if (letter === "u" && typeof value === "number" && value === value >>> 0) {
        this.#values.setUint32(offset, value, true);
      } else if (letter === "i" && typeof value === "number" && value === (value | 0)) {
        this.#values.setInt32(offset, value, true);
      } else if (letter === "l" && isUnsigned64(value)) {
        this.#values.setBigUint64(offset, BigInt(value), true);
      } else {
        const found = typeof value === "object" ? `the view "${value.what}"` : String(value);
        throw new RangeError(`Kernel "${this.name}": argument ${i} is ${found}, and "${letter}" is needed`);
      }
    }
  }
}

function isUnsigned64(value: View | number | bigint | undefined): value is number | bigint {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;
  return typeof value === "bigint" && value >= 0n && value < 1n << 64n;
}
