/** Shapes that the kernels of ordered arithmetic cover, on whatever processor. */
import type { SessionOptions } from "../engine.ts";

/**
 * Refuses what the kernels' tiles do not cover and counts that are no whole numbers from 1.
 *
 * @param engine name for messages, such as `exact`
 * @param counts further counts to check, by name
 * @throws {RangeError} naming the quantity, what it must be and what it is
 */
export function checkShapes(
  { model, batchSequences, gradientBlockSequences }: SessionOptions,
  engine: string,
  counts: Readonly<Record<string, number>> = {},
): void {
  const { layers, heads } = model;
  const all = { ...counts, layers, heads, batchSequences, gradientBlockSequences };
  for (const [name, value] of Object.entries(all)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`The ${engine} engine needs "${name}" to be a whole number from 1, but it is ${value}`);
    }
  }
  const headSize = model.hiddenSize / model.heads;
  const multiples: [string, number, number][] = [
    ["head dimension", headSize, 8],
    ["hidden size", model.hiddenSize, 8],
    ["intermediate size", model.intermediateSize, 8],
    ["vocabulary size", model.vocabularySize, 8],
    ["sequence length", model.sequenceLength, 8],
    ["rotated dimensions of a head", model.rotaryFraction * headSize, 2],
  ];
  for (const [name, value, unit] of multiples) {
    if (!(value > 0) || value % unit !== 0) {
      throw new RangeError(`The ${engine} engine needs a ${name} that is a multiple of ${unit}, but it is ${value}`);
    }
  }
  if (model.vocabularySize > 65536) throw new RangeError("Tokens are 16 bits wide: the vocabulary has at most 65536");
  if (batchSequences % gradientBlockSequences !== 0) {
    throw new RangeError(
      `${batchSequences} sequences do not divide into gradient blocks of ${gradientBlockSequences}`,
    );
  }
}
