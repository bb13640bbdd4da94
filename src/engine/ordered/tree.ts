/**
 * The pairwise tree of docs/arithmetic.md: for scalars that are summed in TypeScript, and for gradients that come in
 * micro-batches of which not all can be held at a time.
 */

/**
 * Σ of f32 values: neighbours are added, then neighbours of the sums, until one is left; an odd one out passes to the
 * next level as it is. Every sum is rounded to f32.
 */
export function treeSum(values: ArrayLike<number>): number {
  let level = Array.from(values);
  while (level.length > 1) {
    const next: number[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? 0, right = level[i + 1];
      next.push(right === undefined ? left : Math.fround(left + right));
    }
    level = next;
  }
  return level[0] ?? 0;
}

/** Sums of micro-batches that can wait for their twin at a time, when so many micro-batches follow each other. */
export function waitingLevels(microBatches: number): number {
  let levels = 0;
  while (microBatches > 1 && 2 ** levels <= microBatches - 1) levels++;
  return levels;
}

/**
 * The tree within a micro-batch: its blocks are joined until the sum stands in the first.
 *
 * @param add adds the second block to the first
 */
export function joinBlocks(count: number, add: (block: number, twin: number) => void): void {
  for (let stride = 1; stride < count; stride *= 2) {
    for (let i = 0; i + stride < count; i += 2 * stride) add(i, i + stride);
  }
}

/**
 * The tree over micro-batches of a power of two blocks: a sum joins the sums before it that wait for a twin of its size,
 * like carries of a binary counter, and then waits itself unless it is the last.
 *
 * @param index of the micro-batch
 * @param join adds what waits at a level to the sum
 * @param wait puts the sum where it waits at a level
 */
export function joinMicroBatch(
  { index, isLast, levels }: { readonly index: number; readonly isLast: boolean; readonly levels: number },
  join: (level: number) => void,
  wait: (level: number) => void,
): void {
  for (let level = 0; level < levels; level++) {
    if (((index >> level) & 1) === 1) join(level);
    else if (!isLast) return wait(level);
  }
}
