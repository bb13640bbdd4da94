/** Where the schedule of learning rates stands when steps were skipped: it moves on with updates, not with steps. */

/**
 * Updates made before a step.
 *
 * @param skips skipped steps, ascending
 */
export function updatesBefore(skips: readonly number[], step: number): number {
  let low = 0, high = skips.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((skips[middle] ?? Infinity) < step) low = middle + 1;
    else high = middle;
  }
  return step - low;
}
