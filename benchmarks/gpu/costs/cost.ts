/** What a launch has to do at least, from its arguments. */
import type { KernelDeclaration } from "../../../src/engine/cuda/kernel_declarations.ts";
import type { LaunchShape } from "../../../src/engine/cuda/driver/kernel.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import type { ModelConfig } from "../../../src/model/config.ts";

/** Work of one launch. */
export interface Cost {
  /** floating-point operations that the result needs: of a causal matmul, half of the square */
  readonly flops: number;
  /** bytes of device memory: each input read once, each output written once */
  readonly bytes: number;
  /** which units do the arithmetic: those for f32, or the tensor cores */
  readonly unit: "f32" | "half";
  /** of a matmul: `nt 8192×4096×1024` */
  readonly shape?: string;
}

/** A launch of a kernel, as `Device.launch` was told. */
export interface Launch {
  readonly kernel: string;
  readonly shape: LaunchShape;
  readonly args: readonly (View | number | bigint)[];
}

/** Reads arguments by the names that the kernel's source has for them. */
export class LaunchReader {
  readonly #launch: Launch;
  readonly #declaration: KernelDeclaration;

  constructor(launch: Launch, declaration: KernelDeclaration, readonly model: ModelConfig) {
    this.#launch = launch;
    this.#declaration = declaration;
  }

  get kernel(): string {
    return this.#launch.kernel;
  }

  /** Blocks along x, y, z. */
  get grid(): readonly [number, number, number] {
    const { grid } = this.#launch.shape;
    return typeof grid === "number" ? [grid, 1, 1] : grid;
  }

  #argument(name: string): View | number | bigint | undefined {
    return this.#launch.args[this.#declaration.parameters.findIndex((parameter) => parameter.name === name)];
  }

  /** A number among the arguments. */
  number(name: string): number {
    const value = this.#argument(name);
    if (typeof value !== "number" && typeof value !== "bigint") return this.#refuse(name, "number");
    return Number(value);
  }

  /** Bytes of the memory that a pointer leads to; 0 for a null. */
  bytes(name: string): number {
    const value = this.#argument(name);
    return typeof value === "object" ? value.bytes : this.#refuse(name, "pointer");
  }

  #refuse(name: string, wanted: string): never {
    throw new Error(`Kernel "${this.kernel}" was not given a ${wanted} "${name}"`);
  }
}

/** The cost of one kernel's launches. */
export type CostRule = (launch: LaunchReader) => Cost;

/** Work that arithmetic does not limit. */
export function passOver(bytes: number, flops = 0): Cost {
  return { flops, bytes, unit: "f32" };
}
