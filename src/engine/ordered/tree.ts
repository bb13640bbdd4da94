/** The pairwise tree of docs/arithmetic.md, for the few scalars that are summed in TypeScript. */

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
