/**
 * The sum over gradient blocks on the device: the pairwise tree of docs/arithmetic.md §6, so that devices that
 * share its nodes add up the same. The second block of a pair is added by the matmuls and kernels that compute it;
 * pairs are joined like the digits of a binary counter.
 */
import type { View } from "../driver/view.ts";

/** Where a block's gradient goes. */
export interface GradientTarget {
  /** flat, in the order of `parameterShapes` */
  readonly gradient: View;
  /** whether it is added to what stands there, its twin's */
  readonly accumulate: boolean;
}

/** One step's tree. */
export class GradientTree {
  readonly #blocks: number;
  readonly #add: (target: View, source: View) => void;
  readonly #free: View[];
  /** sums of 2^(i + 1) blocks that wait for their twin */
  readonly #waiting: (View | undefined)[] = [];
  #current: View;

  /**
   * @param vectors memory for whole gradients, as many as `MixedMemory.gradientVectors`
   * @param add target += source
   */
  constructor(blocks: number, vectors: readonly View[], add: (target: View, source: View) => void) {
    this.#blocks = blocks;
    this.#add = add;
    this.#free = [...vectors];
    this.#current = this.#take();
  }

  #take(): View {
    const vector = this.#free.pop();
    if (vector === undefined) throw new Error("The tree over gradient blocks was planned too small");
    return vector;
  }

  /** Where block `index` goes; blocks come in order. */
  target(index: number): GradientTarget {
    return { gradient: this.#current, accumulate: index % 2 === 1 };
  }

  /** To be called when the block's work was given to the device. */
  finish(index: number): void {
    const isLast = index === this.#blocks - 1;
    if (index % 2 === 0 && !isLast) return;
    const pair = Math.floor(index / 2);
    for (let level = 0; level < this.#waiting.length || !isLast; level++) {
      const twin = this.#waiting[level];
      if (Math.floor(pair / 2 ** level) % 2 === 1 && twin !== undefined) {
        this.#add(this.#current, twin);
        this.#free.push(twin);
        this.#waiting[level] = undefined;
      } else if (!isLast) {
        this.#waiting[level] = this.#current;
        this.#current = this.#take();
        return;
      }
    }
  }

  /** The sum over all blocks, once the last is finished. */
  get sum(): View {
    return this.#current;
  }
}
