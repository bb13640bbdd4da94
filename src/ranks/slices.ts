/** Who owns which parameters: consecutive chunks, of about as many elements each. */
import type { DividedStep, Slice } from "../engine/divided_step.ts";

/** A slice of chunks with the elements in them. */
export interface OwnedSlice extends Slice {
  /** elements in it; none where there are fewer chunks than ranks */
  readonly elements: number;
  /** of the flat parameter vector: first to before `to` */
  readonly from: number;
  readonly to: number;
}

/** Chunks shared among ranks, in order. */
export function slicesOf({ chunkOffsets }: Pick<DividedStep, "chunkOffsets">, ranks: number): readonly OwnedSlice[] {
  const parameters = chunkOffsets.at(-1) ?? 0;
  const bounds = Array.from(
    { length: ranks + 1 },
    (_, rank) => chunkOffsets.findIndex((offset) => offset * ranks >= parameters * rank),
  );
  return Array.from({ length: ranks }, (_, rank) => {
    const first = bounds[rank] ?? 0, end = bounds[rank + 1] ?? 0;
    const from = chunkOffsets[first] ?? 0, to = chunkOffsets[end] ?? 0;
    return { first, end, from, to, elements: to - from };
  });
}
