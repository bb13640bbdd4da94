/** What a launch has to do at least, from its arguments. */
import type { LaunchShape } from "../../../src/engine/cuda/driver/kernel.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import type { ModelConfig } from "../../../src/model/config.ts";

/** Work of one launch. */
export interface Cost {
  /** floating-point operations that the result needs: of a causal product, half of the square */
  readonly flops: number;
  /** bytes of device memory: each input read once, each output written once */
  readonly bytes: number;
  /** which units do the arithmetic: those for f32, or the tensor cores */
  readonly unit: "f32" | "half";
  /** of a product: `nt 8192×4096×1024` */
  readonly shape?: string;
}

/** A launch of a kernel, as `Device.launch` was told. */
export interface Launch {
  readonly kernel: string;
  readonly shape: LaunchShape;
  readonly args: readonly (View | number | bigint)[];
}

/** Reads arguments by their place. */
export class LaunchReader {
  constructor(readonly launch: Launch, readonly model: ModelConfig) {}

  /** A number among the arguments. */
  number(index: number): number {
    const value = this.launch.args[index];
    if (typeof value !== "number" && typeof value !== "bigint") return this.#refuse(index, "number");
    return Number(value);
  }

  view(index: number): View {
    const value = this.launch.args[index];
    return typeof value === "object" ? value : this.#refuse(index, "view");
  }

  /** Whether a pointer was given rather than null. */
  has(index: number): boolean {
    return this.view(index).bytes > 0;
  }

  /** Blocks along x, y, z. */
  get grid(): readonly [number, number, number] {
    const { grid } = this.launch.shape;
    return typeof grid === "number" ? [grid, 1, 1] : grid;
  }

  #refuse(index: number, wanted: string): never {
    throw new Error(`Argument ${index} of "${this.launch.kernel}" is no ${wanted}`);
  }
}

/** The cost of one kernel's launches. */
export type CostRule = (launch: LaunchReader) => Cost;

/** Work that arithmetic does not limit. */
export function passOver(bytes: number, flops = 0): Cost {
  return { flops, bytes, unit: "f32" };
}
