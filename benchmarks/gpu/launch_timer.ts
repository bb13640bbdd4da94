/** A stopwatch around everything that an engine gives a GPU: CUDA events before and after each launch. */
import { Device } from "../../src/engine/cuda/driver/device.ts";
import type { TimedEvent } from "../../src/engine/cuda/driver/event.ts";
import { Matmul } from "../../src/engine/cuda/driver/matmul.ts";
import type { Arguments, Kernel, LaunchShape, Signature } from "../../src/engine/cuda/driver/kernel.ts";
import type { View } from "../../src/engine/cuda/driver/view.ts";
import type { Cost, Launch } from "./costs/cost.ts";
import { matmulCost } from "./costs/mixed.ts";

/** Something that was timed: a launch of one of the project's kernels, or other work with its cost. */
export type Timed = { readonly launch: Launch } | { readonly name: string; readonly cost: Cost };

interface Interval {
  readonly what: Timed;
  readonly start: TimedEvent;
  readonly end: TimedEvent;
}

/**
 * Times all devices of this process from its making on. It replaces methods of `Device` and `Matmul`, since an engine
 * keeps its device to itself: for a process of its own, which measures nothing else.
 */
export class LaunchTimer {
  readonly #events: TimedEvent[] = [];
  #used = 0;
  #intervals: Interval[] = [];
  #device: Device | undefined;
  #recording = false;

  constructor() {
    const around = (device: Device | undefined, what: Timed, work: () => void) => this.#around(device, what, work);
    const { launch, copy, fill32 } = Device.prototype;
    const { run } = Matmul.prototype;

    Device.prototype.launch = function <S extends Signature>(
      this: Device,
      kernel: Kernel<S>,
      shape: LaunchShape,
      ...args: Arguments<S>
    ) {
      const what = { launch: { kernel: kernel.name, shape, args } };
      around(this, what, () => launch.call(this, kernel, shape, ...args));
    };
    Device.prototype.copy = function (target: View, source: View) {
      const cost: Cost = { flops: 0, bytes: 2 * target.bytes, unit: "f32" };
      around(this, { name: "copy", cost }, () => copy.call(this, target, source));
    };
    Device.prototype.fill32 = function (target: View, word: number) {
      const cost: Cost = { flops: 0, bytes: target.bytes, unit: "f32" };
      around(this, { name: "fill", cost }, () => fill32.call(this, target, word));
    };
    Matmul.prototype.run = function (operands) {
      const { rows: m, columns: n, inner: k, transposeA, transposeB, output } = this.problem;
      const layout = `${transposeA === true ? "t" : "n"}${transposeB === true ? "t" : "n"}`;
      const adds = (operands.beta ?? 0) !== 0;
      const cost = matmulCost(layout, { m, n, k }, (output === "f32" ? 4 : 2) * (adds ? 2 : 1));
      // It keeps its device to itself; a step launches kernels before its first matmul.
      around(undefined, { name: "cuBLASLt", cost }, () => run.call(this, operands));
    };
  }

  #around(device: Device | undefined, what: Timed, work: () => void): void {
    this.#device = device ?? this.#device;
    if (!this.#recording || this.#device === undefined) return work();
    const start = this.#event(this.#device), end = this.#event(this.#device);
    start.record();
    work();
    end.record();
    this.#intervals.push({ what, start, end });
  }

  /** An event of the pool. */
  #event(device: Device): TimedEvent {
    const event = this.#events[this.#used++] ?? device.event();
    this.#events[this.#used - 1] = event;
    return event;
  }

  /** Times what `work` gives the device. */
  async record(work: () => Promise<unknown>): Promise<{ readonly what: Timed; readonly milliseconds: number }[]> {
    this.#used = 0;
    this.#intervals = [];
    this.#recording = true;
    try {
      await work();
    } finally {
      this.#recording = false;
    }
    await this.#device?.synchronize();
    return this.#intervals.map(({ what, start, end }) => ({ what, milliseconds: end.millisecondsSince(start) }));
  }
}
