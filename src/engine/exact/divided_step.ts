/** The pieces of a step in the exact engine's memory. */
import type { DividedStep, Slice, UpdateInputs } from "../divided_step.ts";
import type { SessionOptions, StepResult } from "../engine.ts";
import { chunksOf } from "../ordered/chunks.ts";
import { type TreeNode, unitsOf } from "../ordered/nodes.ts";
import { requireBatch } from "../session_calls.ts";
import type { Command, CommandResult } from "./protocol.ts";

/** A session's memory, and its threads. */
export interface DividedMemory {
  /** shape (B, sequenceLength + 1), and more */
  readonly tokens: Uint16Array;
  /** summed cross-entropy by window, f32 (B) */
  readonly losses: Float32Array;
  /** Σ g² by chunk, f32 */
  readonly squares: Float32Array;
  /** where the sum of the blocks stands, flat */
  readonly sum: Float32Array;
  /** θ, flat */
  readonly weights: Float32Array;
  /** lets all threads do something, alone */
  run(load: () => void, command: Command): Promise<CommandResult>;
  /** does something between commands */
  alone<T>(call: () => T): Promise<T>;
}

/** See {@linkcode DividedStep}. */
export class ExactDividedStep implements DividedStep {
  readonly units: number;
  readonly unitSequences: number;
  readonly chunkOffsets: readonly number[];
  readonly #options: SessionOptions;
  readonly #memory: DividedMemory;

  constructor(options: SessionOptions, memory: DividedMemory) {
    this.#options = options;
    this.#memory = memory;
    this.units = options.batchSequences / options.gradientBlockSequences;
    this.unitSequences = options.gradientBlockSequences;
    this.chunkOffsets = [...chunksOf(options.model).map(({ offset }) => offset), memory.sum.length];
  }

  async partial(tokens: Uint16Array, node: TreeNode): Promise<Float32Array> {
    const blocks = unitsOf(node);
    const sequences = blocks * this.unitSequences;
    requireBatch(tokens, this.#options.model, sequences);
    await this.#memory.run(() => this.#memory.tokens.set(tokens), { kind: "partial", blocks });
    return this.#memory.losses.slice(0, sequences);
  }

  readSum(slice: Slice): Promise<Float32Array> {
    return this.#memory.alone(() => this.#part(this.#memory.sum, slice).slice());
  }

  writeSum(slice: Slice, sum: Float32Array): Promise<void> {
    return this.#memory.alone(() => this.#part(this.#memory.sum, slice).set(sum));
  }

  async squares(slice: Slice): Promise<Float32Array> {
    await this.#memory.run(() => {}, { kind: "squares", slice });
    return this.#memory.squares.slice(slice.first, slice.end);
  }

  async update(slice: Slice, { squares, losses, learningRate, step }: UpdateInputs): Promise<StepResult> {
    const load = () => {
      this.#memory.squares.set(squares);
      this.#memory.losses.set(losses);
    };
    const { loss, gradientNorm, updated } = await this.#memory.run(load, {
      kind: "update",
      slice,
      learningRate,
      step,
    });
    return { loss, gradientNorm, outcome: updated ? "updated" : "diverged" };
  }

  readWeights(slice: Slice): Promise<Float32Array> {
    return this.#memory.alone(() => this.#part(this.#memory.weights, slice).slice());
  }

  writeWeights(slice: Slice, weights: Float32Array): Promise<void> {
    return this.#memory.alone(() => this.#part(this.#memory.weights, slice).set(weights));
  }

  /** @throws {RangeError} unless the slice is one of chunks */
  #part(vector: Float32Array, { first, end }: Slice): Float32Array {
    const [from, to] = [this.chunkOffsets[first], this.chunkOffsets[end]];
    if (from === undefined || to === undefined || to < from) throw new RangeError(`No chunks ${first} to ${end}`);
    return vector.subarray(from, to);
  }
}
