/** The pieces of a step in a device's memory, for either mode. Sums and weights cross over in main memory. */
import type { DividedStep, Slice, UpdateInputs } from "../divided_step.ts";
import type { SessionOptions, StepResult } from "../engine.ts";
import { chunksOf } from "../ordered/chunks.ts";
import type { TreeNode } from "../ordered/nodes.ts";
import { requireBatch, type SessionCalls } from "../session_calls.ts";
import { parameterCount } from "../../model/config.ts";
import type { Device } from "./driver/device.ts";
import type { View } from "./driver/view.ts";
import { floatsOf } from "./views.ts";

/** What a session of a mode does for its pieces. */
export interface DevicePieces {
  readonly device: Device;
  readonly options: SessionOptions;
  readonly calls: SessionCalls;
  /** gradient blocks of a unit */
  readonly unitBlocks: number;
  /** θ, flat */
  readonly weights: View;
  /** Σ g² by chunk, f32 */
  readonly chunkSums: View;
  /** where the sum over gradient blocks stands, flat */
  sum(): View;
  /** Sums a node's gradients, and gives its sequences' losses. */
  sumGradients(tokens: Uint16Array): Promise<Float32Array>;
  /** Σ g² of a slice's chunks into theirs of `chunkSums`. */
  squares(slice: Slice): void;
  /** The update of a slice by all chunks' `chunkSums`; empty slices are decided upon alike. */
  update(slice: Slice, inputs: UpdateInputs): Promise<StepResult>;
  /** Called when weights were put in the place of others. */
  weightsChanged(): void;
}

/** See {@linkcode DividedStep}. */
export class DeviceDividedStep implements DividedStep {
  readonly units: number;
  readonly unitSequences: number;
  readonly chunkOffsets: readonly number[];
  readonly #pieces: DevicePieces;

  constructor(pieces: DevicePieces) {
    const { model, batchSequences, gradientBlockSequences } = pieces.options;
    this.#pieces = pieces;
    this.unitSequences = pieces.unitBlocks * gradientBlockSequences;
    this.units = Math.ceil(batchSequences / this.unitSequences);
    this.chunkOffsets = [...chunksOf(model).map(({ offset }) => offset), parameterCount(model)];
  }

  partial(tokens: Uint16Array, { from, to }: TreeNode): Promise<Float32Array> {
    const { options, calls } = this.#pieces;
    return calls.exclusively(() => {
      const end = Math.min(to * this.unitSequences, options.batchSequences);
      requireBatch(tokens, options.model, end - from * this.unitSequences);
      return this.#pieces.sumGradients(tokens);
    });
  }

  readSum(slice: Slice): Promise<Float32Array> {
    return this.#download(() => this.#pieces.sum(), slice);
  }

  writeSum(slice: Slice, sum: Float32Array): Promise<void> {
    return this.#upload(() => this.#pieces.sum(), slice, sum);
  }

  squares(slice: Slice): Promise<Float32Array> {
    const { device, calls, chunkSums } = this.#pieces;
    return calls.exclusively(async () => {
      const squares = new Float32Array(slice.end - slice.first);
      if (squares.length === 0) return squares;
      this.#pieces.squares(slice);
      await device.download(floatsOf(chunkSums, slice.first, squares.length), squares);
      return squares;
    });
  }

  update(slice: Slice, inputs: UpdateInputs): Promise<StepResult> {
    const { device, calls, chunkSums } = this.#pieces;
    return calls.exclusively(() => {
      device.upload(floatsOf(chunkSums, 0, inputs.squares.length), inputs.squares.slice());
      return this.#pieces.update(slice, inputs);
    });
  }

  readWeights(slice: Slice): Promise<Float32Array> {
    return this.#download(() => this.#pieces.weights, slice);
  }

  async writeWeights(slice: Slice, weights: Float32Array): Promise<void> {
    await this.#upload(() => this.#pieces.weights, slice, weights);
    this.#pieces.weightsChanged();
  }

  #download(vector: () => View, slice: Slice): Promise<Float32Array> {
    const { device, calls } = this.#pieces;
    return calls.exclusively(async () => {
      const part = this.#part(vector(), slice);
      const values = new Float32Array(part.bytes / Float32Array.BYTES_PER_ELEMENT);
      await device.download(part, values);
      return values;
    });
  }

  #upload(vector: () => View, slice: Slice, values: Float32Array): Promise<void> {
    const { device, calls } = this.#pieces;
    return calls.exclusively(() => {
      device.upload(this.#part(vector(), slice), values.slice());
      return Promise.resolve();
    });
  }

  /** @throws {RangeError} unless the slice is one of chunks */
  #part(vector: View, { first, end }: Slice): View {
    const [from, to] = [this.chunkOffsets[first], this.chunkOffsets[end]];
    if (from === undefined || to === undefined || to < from) throw new RangeError(`No chunks ${first} to ${end}`);
    return floatsOf(vector, from, to - from);
  }
}
