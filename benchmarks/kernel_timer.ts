/** Stopwatches around the exact engine's kernels: how often each was called, and how long it took. */
import { type Kernels, SHAPE } from "../src/engine/exact/kernels.ts";

/** Calls of one kernel; matmuls are told apart by their shape. */
export interface KernelTime {
  readonly kernel: string;
  /** of a matmul: `256×512×128`, rows × columns × products, and the mask if it has one */
  readonly shape?: string;
  calls: number;
  milliseconds: number;
  /** floating-point operations of all calls; 0 where they are not counted */
  flops: number;
}

const MASK_NAMES: ReadonlyMap<number, string> = new Map([
  [SHAPE.lower, "lower triangle"],
  [SHAPE.endsAtRow, "lower-triangular A"],
  [SHAPE.startsAtRow, "upper-triangular A"],
]);

/** Kernels that measure themselves. */
export class KernelTimer {
  readonly kernels: Kernels;
  readonly #times = new Map<string, KernelTime>();

  constructor(kernels: Kernels) {
    const exports = Object.entries(kernels).filter(([, value]) => typeof value === "function");
    this.kernels = Object.fromEntries(
      exports.map(([name, kernel]) => [name, this.#timed(name, kernel)]),
    ) as unknown as Kernels;
  }

  #timed(name: string, kernel: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
    return (...args) => {
      const start = performance.now();
      const result = kernel(...args);
      this.#add(name, args, performance.now() - start);
      return result;
    };
  }

  #add(kernel: string, args: readonly unknown[], milliseconds: number): void {
    let shape: string | undefined;
    let flops = 0;
    if (kernel.startsWith("matmul")) {
      const [m, n, k] = args as number[];
      const mask = MASK_NAMES.get(args[10] as number);
      shape = `${m}×${n}×${k}${mask === undefined ? "" : `, ${mask}`}`;
      // A triangle is half of the products, and half of its diagonal's.
      flops = 2 * (m ?? 0) * (n ?? 0) * (k ?? 0) * (mask === undefined ? 1 : ((m ?? 0) + 1) / (2 * (m ?? 1)));
    }
    const key = `${kernel} ${shape ?? ""}`;
    const entry = this.#times.get(key) ??
      { kernel, calls: 0, milliseconds: 0, flops: 0, shape };
    entry.calls++;
    entry.milliseconds += milliseconds;
    entry.flops += flops;
    this.#times.set(key, entry);
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.#times.clear();
  }

  /** What was measured, the longest first. */
  get times(): KernelTime[] {
    return [...this.#times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }
}
