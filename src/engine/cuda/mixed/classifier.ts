/** Cross-entropy over the vocabulary, and its gradient in place of the logits. */
import type { ModelConfig } from "../../../model/config.ts";
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES, need } from "../views.ts";
import type { MixedKernels } from "./kernels.ts";
import { TRAINING_STATE_BYTES } from "./training_state.ts";

/** Threads that share a window's losses. */
const LOSS_THREADS = 512;
/**
 * Threads that share a row of logits at most. Two such blocks fit a multiprocessor: so few rows are under way that their
 * second reading finds them in the L2 cache.
 */
const MAX_ROW_THREADS = 1024;
/** Columns that a thread has at a time. */
const THREAD_COLUMNS = 8;

/** Consecutive rows of a pass. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** Where a pass' tokens and losses lie. */
export interface ClassifierViews {
  /** u16 (windows, T + 1) */
  readonly tokens: View;
  /** f32 (rows) */
  readonly losses: View;
}

/** Launches for a number of windows. */
export class Classifier {
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #model: ModelConfig;
  readonly #windows: number;

  constructor(device: Device, kernels: MixedKernels, model: ModelConfig, windows: number) {
    this.#device = device;
    this.#kernels = kernels;
    this.#model = model;
    this.#windows = windows;
  }

  get #rowThreads(): number {
    return Math.min(MAX_ROW_THREADS, Math.ceil(this.#model.vocabularySize / (THREAD_COLUMNS * 32)) * 32);
  }

  #views({ tokens, losses }: ClassifierViews, rows: RowRange): readonly [View, View] {
    const { sequenceLength } = this.#model;
    const total = this.#windows * sequenceLength;
    if (rows.first + rows.count > total) throw new RangeError(`Rows ${rows.first} to ${rows.first + rows.count}`);
    return [need(tokens, this.#windows * (sequenceLength + 1), 2), need(losses, total, FLOAT_BYTES)];
  }

  /** Losses of some rows from their logits (count, V). */
  loss(logits: View, views: ClassifierViews, rows: RowRange): void {
    const { vocabularySize, sequenceLength } = this.#model;
    this.#device.launch(
      this.#kernels.cross_entropy,
      { grid: rows.count, block: this.#rowThreads },
      need(logits, rows.count * vocabularySize, HALF_BYTES),
      ...this.#views(views, rows),
      rows.first,
      vocabularySize,
      sequenceLength,
    );
  }

  /**
   * The same, and their gradient in place.
   *
   * @param state holds the loss scale
   * @param tokenWeight what a token's loss counts in the pass
   */
  lossAndGradient(logits: View, views: ClassifierViews, rows: RowRange, state: View, tokenWeight: number): void {
    const { vocabularySize, sequenceLength } = this.#model;
    this.#device.launch(
      this.#kernels.cross_entropy_backward,
      { grid: rows.count, block: this.#rowThreads },
      need(logits, rows.count * vocabularySize, HALF_BYTES),
      ...this.#views(views, rows),
      need(state, 1, TRAINING_STATE_BYTES),
      tokenWeight,
      rows.first,
      vocabularySize,
      sequenceLength,
    );
  }

  /** Sums of each window's losses, f32 (windows). */
  sumLosses(losses: View, sums: View): void {
    const { sequenceLength } = this.#model;
    this.#device.launch(
      this.#kernels.sum_losses,
      { grid: this.#windows, block: LOSS_THREADS },
      need(losses, this.#windows * sequenceLength, FLOAT_BYTES),
      need(sums, this.#windows, FLOAT_BYTES),
      sequenceLength,
    );
  }
}
