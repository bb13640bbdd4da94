/** Causal flash attention of one model: launches for windows of T tokens. */
import type { ModelConfig } from "../../../model/config.ts";
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES, HALF_BYTES, need } from "../views.ts";
import type { MixedKernels } from "./kernels.ts";

/** Queries of a block of `attention` and `attention_backward_queries`. */
const QUERY_TILE = 128;
/** Rows of every tile on its way. */
const KEY_TILE = 64;
/** Tiles in shared memory: two kinds, each with the next one on its way. */
const TILES = 4;

/** What the forward pass leaves for the backward one. */
export interface AttentionActivations {
  /** rotated (rows, heads, 3, d) 16-bit */
  readonly queryKeyValue: View;
  /** (rows, heads, d) 16-bit */
  readonly output: View;
  /** log2 of each row's sum of exponentials (windows, heads, T) f32 */
  readonly logSums: View;
}

/** Launches for a number of windows. */
export class Attention {
  readonly #device: Device;
  readonly #kernels: MixedKernels;
  readonly #model: ModelConfig;
  readonly #windows: number;
  readonly #headSize: number;
  readonly #scale: number;

  constructor(device: Device, kernels: MixedKernels, model: ModelConfig, windows: number) {
    this.#device = device;
    this.#kernels = kernels;
    this.#model = model;
    this.#windows = windows;
    this.#headSize = model.hiddenSize / model.heads;
    this.#scale = 1 / Math.sqrt(this.#headSize);
  }

  #grid(tileRows: number): [number, number, number] {
    const { sequenceLength, heads } = this.#model;
    return [Math.ceil(sequenceLength / tileRows), heads, this.#windows];
  }

  /** Threads of a block that has QUERY_TILE queries: 32 of them a warp, or 16 where the head is large. */
  get #queryThreads(): number {
    return this.#headSize <= 64 ? 128 : 256;
  }

  /** Keys of a block of `attention_backward_keys`, which has four warps. */
  get #blockKeys(): number {
    return this.#headSize <= 64 ? 128 : 64;
  }

  /** Bytes of a row of a tile: the head padded to 16 elements, and 8 against bank conflicts. */
  get #rowBytes(): number {
    return (Math.ceil(this.#headSize / 16) * 16 + 8) * HALF_BYTES;
  }

  #activations({ queryKeyValue, output, logSums }: AttentionActivations): readonly [View, View, View] {
    const { sequenceLength, heads, hiddenSize } = this.#model;
    const rows = this.#windows * sequenceLength;
    return [
      need(queryKeyValue, rows * 3 * hiddenSize, HALF_BYTES),
      need(output, rows * hiddenSize, HALF_BYTES),
      need(logSums, rows * heads, FLOAT_BYTES),
    ];
  }

  /** Output and log sums from queries, keys and values. */
  forward(activations: AttentionActivations): void {
    const { sequenceLength, heads } = this.#model;
    this.#device.launch(
      this.#kernels.attention,
      { grid: this.#grid(QUERY_TILE), block: this.#queryThreads, sharedBytes: TILES * KEY_TILE * this.#rowBytes },
      ...this.#activations(activations),
      sequenceLength,
      heads,
      this.#scale * Math.LOG2E,
    );
  }

  /**
   * Gradient of queries, keys and values (rows, heads, 3, d) from that of the output.
   *
   * @param deltas work area (windows, heads, T) f32
   */
  backward(activations: AttentionActivations, outputGradient: View, deltas: View, gradient: View): void {
    const { sequenceLength, heads, hiddenSize } = this.#model;
    const rows = this.#windows * sequenceLength;
    const [queryKeyValue, output, logSums] = this.#activations(activations);
    const dOutput = need(outputGradient, rows * hiddenSize, HALF_BYTES);
    const end = [
      need(deltas, rows * heads, FLOAT_BYTES),
      need(gradient, rows * 3 * hiddenSize, HALF_BYTES),
      sequenceLength,
      heads,
      this.#scale * Math.LOG2E,
      this.#scale,
    ] as const;
    const tiles = TILES * KEY_TILE * this.#rowBytes;
    this.#device.launch(
      this.#kernels.attention_backward_queries,
      { grid: this.#grid(QUERY_TILE), block: this.#queryThreads, sharedBytes: tiles },
      queryKeyValue,
      output,
      dOutput,
      logSums,
      ...end,
    );
    this.#device.launch(
      this.#kernels.attention_backward_keys,
      { grid: this.#grid(this.#blockKeys), block: 128, sharedBytes: tiles + TILES * KEY_TILE * FLOAT_BYTES },
      queryKeyValue,
      dOutput,
      logSums,
      ...end,
    );
  }
}
