/** The mean loss of a step from the losses of its sequences (docs/arithmetic.md §5 and §6). */
import type { SessionOptions } from "../engine.ts";
import { treeSum } from "./tree.ts";

type BatchShape = Pick<SessionOptions, "model" | "batchSequences" | "gradientBlockSequences">;

/** Weight of one token's loss in the step's mean: 1 / (B · T), rounded to f32. */
export function tokenWeight({ model, batchSequences }: BatchShape): number {
  return Math.fround(1 / (batchSequences * model.sequenceLength));
}

/**
 * Sequences of a gradient block in a chain, blocks in the pairwise tree, times the token weight.
 *
 * @param sequenceLosses summed cross-entropy of each sequence, f32 (B)
 */
export function batchLoss(shape: BatchShape, sequenceLosses: ArrayLike<number>): number {
  const { batchSequences, gradientBlockSequences } = shape;
  const blockLosses: number[] = [];
  for (let first = 0; first < batchSequences; first += gradientBlockSequences) {
    let sum = 0;
    for (let sequence = first; sequence < first + gradientBlockSequences; sequence++) {
      sum = Math.fround(sum + (sequenceLosses[sequence] ?? NaN));
    }
    blockLosses.push(sum);
  }
  return Math.fround(treeSum(blockLosses) * tokenWeight(shape));
}
