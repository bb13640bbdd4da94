/**
 * A training step in pieces, for ranks that share it (docs/arithmetic.md §6): each computes sums of nodes of the gradient's
 * tree, each owns a slice of the parameters, adds up that slice of all nodes' sums, and updates it. `Session.step` is the
 * case of one rank, with the same bits. Calls overlap neither with each other nor with those of the session.
 */
import type { StepResult } from "./engine.ts";
import type { TreeNode } from "./ordered/nodes.ts";

/** Chunks of the flat parameter vector that a rank owns: [first, end), numbered as in docs/arithmetic.md §6. */
export interface Slice {
  /** the first of them */
  readonly first: number;
  /** after the last */
  readonly end: number;
}

/** What an update needs besides the gradient. */
export interface UpdateInputs {
  /** Σ g² of every chunk of the whole vector, f32 */
  readonly squares: Float32Array;
  /** summed cross-entropy of every sequence of the batch, f32 (B) */
  readonly losses: Float32Array;
  /** f32 */
  readonly learningRate: number;
  /** updates made before this one */
  readonly step: number;
}

/** Pieces of a step on one rank. */
export interface DividedStep {
  /** leaves of the gradient's tree in a step, N */
  readonly units: number;
  /** sequences of a unit; the last may have fewer */
  readonly unitSequences: number;
  /** where each chunk begins in the flat parameter vector, ascending, and at the end its length */
  readonly chunkOffsets: readonly number[];
  /**
   * The sum of a node's gradients, which stands until the next call of this or of the session's `step` and `gradient`.
   *
   * @param tokens of the node's sequences, shape (sequences, sequenceLength + 1)
   * @returns summed cross-entropy of each, f32 (sequences)
   */
  partial(tokens: Uint16Array, node: TreeNode): Promise<Float32Array>;
  /** A copy of a slice of the sum that stands. */
  readSum(slice: Slice): Promise<Float32Array>;
  /** Puts the whole batch's sum in the place of a slice of what stands. */
  writeSum(slice: Slice, sum: Float32Array): Promise<void>;
  /** Adds the session's penalty to a slice of the whole batch's sum, and gives Σ g² of its chunks, f32. */
  squares(slice: Slice): Promise<Float32Array>;
  /** Loss and norm of the whole batch, and the update of a slice of weights and moments, if there is one. */
  update(slice: Slice, inputs: UpdateInputs): Promise<StepResult>;
  /** A copy of a slice of the weights. */
  readWeights(slice: Slice): Promise<Float32Array>;
  /** Puts what another rank updated in the place of a slice of the weights. */
  writeWeights(slice: Slice, weights: Float32Array): Promise<void>;
}
