/** Work of a step gathered by kernel and shape: how often, how long, how much. */
import type { Cost } from "./costs/cost.ts";
import { leastSeconds, type Peaks } from "./peaks.ts";

/** One kernel, or a matmul of one shape. */
export interface KernelTotal {
  readonly kernel: string;
  readonly shape?: string;
  readonly unit: Cost["unit"];
  launches: number;
  /** of all launches */
  flops: number;
  /** of all launches, least from device memory */
  bytes: number;
  /** least on the device that is written on paper */
  predictedMilliseconds: number;
  /** measured; 0 if nothing was run */
  milliseconds: number;
}

/** Adds up launches. */
export class KernelTotals {
  readonly #totals = new Map<string, KernelTotal>();
  readonly #peaks: Peaks;

  /** @param peaks what predictions count on */
  constructor(peaks: Peaks) {
    this.#peaks = peaks;
  }

  add(kernel: string, cost: Cost, milliseconds: number): void {
    const { shape, unit, flops, bytes } = cost;
    const key = `${kernel} ${shape ?? ""}`;
    let total = this.#totals.get(key);
    if (total === undefined) {
      const nothing = { launches: 0, flops: 0, bytes: 0, predictedMilliseconds: 0, milliseconds: 0 };
      total = { kernel, unit, ...nothing, shape };
      this.#totals.set(key, total);
    }
    total.launches++;
    total.flops += flops;
    total.bytes += bytes;
    total.predictedMilliseconds += 1000 * leastSeconds(cost, this.#peaks);
    total.milliseconds += milliseconds;
  }

  /** Means over steps, the longest first: by measured time, and by predicted time where nothing was measured. */
  perStep(steps: number): KernelTotal[] {
    return [...this.#totals.values()].map((total) => ({
      ...total,
      launches: Math.round(total.launches / steps),
      flops: total.flops / steps,
      bytes: total.bytes / steps,
      predictedMilliseconds: total.predictedMilliseconds / steps,
      milliseconds: total.milliseconds / steps,
    })).sort((a, b) => b.milliseconds - a.milliseconds || b.predictedMilliseconds - a.predictedMilliseconds);
  }
}
