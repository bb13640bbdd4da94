/** Holm's correction: the more one tests, the more one finds by chance. */

/**
 * Probabilities such that those of 5 % or less belong to a family in which any false finding has at most that
 * probability, however the tests depend on each other (Holm, "A simple sequentially rejective multiple test procedure",
 * 1979).
 *
 * @param probabilities of the tests of a family
 * @returns adjusted, in the same order, at most 1
 */
export function holmAdjusted(probabilities: readonly number[]): number[] {
  const order = probabilities.map((_, index) => index)
    .sort((a, b) => (probabilities[a] ?? NaN) - (probabilities[b] ?? NaN) || a - b);
  const adjusted = new Array<number>(probabilities.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (probabilities.length - rank) * (probabilities[index] ?? NaN)));
    adjusted[index] = largest;
  });
  return adjusted;
}
