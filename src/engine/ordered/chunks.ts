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
