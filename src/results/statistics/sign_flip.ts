/**
 * The sign-flip test of paired differences (Fisher 1935; Winkler et al. 2014): it asks for symmetric differences, where
 * the t test asks for normal ones, which a handful of seeds cannot show.
 */

/** Fewest values for which the test can reach 5 %: with four, the smallest probability is 1/16. */
export const FEWEST_FLIPPED = 5;

/** Most values whose 2^n flips are all counted; further ones are left out, in their order. */
const MOST_FLIPPED = 15;

/**
 * Share of all ways to flip the signs whose sum is as large as the one found, or larger: the probability of such a sum
 * if the values are symmetric around 0. Every flip is counted, none is drawn.
 *
 * @param values one a seed, at least {@linkcode FEWEST_FLIPPED}
 */
export function signFlipProbability(values: readonly number[]): number {
  if (values.length < FEWEST_FLIPPED) {
    throw new RangeError(`Sign flips of ${values.length} values, expected ${FEWEST_FLIPPED} or more`);
  }
  const flipped = values.slice(0, MOST_FLIPPED);
  const ways = 2 ** flipped.length;
  const sumOf = (way: number): number => {
    let sum = 0;
    for (let i = 0; i < flipped.length; i++) sum += (way >>> i & 1) === 0 ? flipped[i] ?? NaN : -(flipped[i] ?? NaN);
    return sum;
  };
  const found = sumOf(0);
  let asLarge = 0;
  for (let way = 0; way < ways; way++) if (sumOf(way) >= found) asLarge++;
  return asLarge / ways;
}
