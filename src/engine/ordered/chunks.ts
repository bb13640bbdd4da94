/** The flat parameter vector cut into chunks, the unit of the gradient norm's sums (docs/arithmetic.md §6). */
import type { ModelConfig } from "../../model/config.ts";
import { parameterShapes } from "../../model/parameters.ts";

/** Elements of a chunk; the last one of a tensor may be shorter. */
export const CHUNK_ELEMENTS = 4096;

/** A piece of one tensor in the flat parameter vector. */
export interface Chunk {
  readonly offset: number;
  readonly size: number;
  /** whether weight decay applies to the tensor */
  readonly decayed: boolean;
}

/** Number of chunks, without making them. */
export function countChunks(model: ModelConfig): number {
  // Every layer has the same tensors: those of two models that differ by a layer.
  const count = (layers: number) =>
    parameterShapes({ ...model, layers }).reduce((sum, { size }) => sum + Math.ceil(size / CHUNK_ELEMENTS), 0);
  const [none, one] = [count(0), count(1)];
  return none + model.layers * (one - none);
}

/** Chunks in the order in which their sums of squares are added; none spans two tensors. */
export function chunksOf(model: ModelConfig): Chunk[] {
  return parameterShapes(model).flatMap(({ offset, size, decayed }) =>
    Array.from({ length: Math.ceil(size / CHUNK_ELEMENTS) }, (_, i) => ({
      offset: offset + i * CHUNK_ELEMENTS,
      size: Math.min(CHUNK_ELEMENTS, size - i * CHUNK_ELEMENTS),
      decayed,
    }))
  );
}
