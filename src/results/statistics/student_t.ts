/**
 * Student's t distribution for whole degrees of freedom, by the finite series of Abramowitz and Stegun, "Handbook of
 * Mathematical Functions", 26.7.3 and 26.7.4: + − × ÷, square roots and nothing else, so that every machine gets the
 * same bits and a verifier the same verdict. No library: those of the registry compute by `Math`'s transcendentals.
 */

const PI = 3.141592653589793;

/** Halvings of the angle, and terms of the series, by which the arctangent keeps fifteen digits. */
const HALVINGS = 4;
const ARCTANGENT_TERMS = 12;

/** Halvings of an interval by which a quantile is found to the last bit or two. */
const BISECTIONS = 200;

/** arctan x for x ≥ 0. */
function arctangent(x: number): number {
  if (x > 1) return PI / 2 - arctangent(1 / x);
  let y = x;
  for (let i = 0; i < HALVINGS; i++) y = y / (1 + Math.sqrt(1 + y * y));
  const square = y * y;
  let sum = 0; // Horner form of Σ (−1)^k y^2k / (2k + 1)
  for (let k = ARCTANGENT_TERMS; k >= 0; k--) sum = 1 / (2 * k + 1) - square * sum;
  return 2 ** HALVINGS * y * sum;
}

/** Share of the distribution between −t and t, for t ≥ 0. */
function central(t: number, degrees: number): number {
  const ratio = t * t / degrees;
  const cosine2 = 1 / (1 + ratio);
  const sine = Math.sqrt(ratio * cosine2);
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? Math.sqrt(cosine2) : 1;
  let sum = 0;
  // odd: cos θ + 2/3 cos³ θ + …; even: 1 + 1/2 cos² θ + …
  for (let k = isOdd ? 3 : 2; k <= degrees; k += 2) {
    sum += term;
    term *= cosine2 * (k - 1) / k;
  }
  if (!isOdd) return sine * sum;
  return 2 / PI * (arctangent(t / Math.sqrt(degrees)) + sine * sum);
}

/**
 * Probability of a value above `t`.
 *
 * @param degrees of freedom, a whole number from 1 to 100,000
 * @returns exact to about 1e-14 absolutely, and never below 0
 * @throws {RangeError} if the degrees are not such a number
 */
export function tailProbability(t: number, degrees: number): number {
  if (!Number.isInteger(degrees) || degrees < 1 || degrees > 100_000) {
    throw new RangeError(`Student's t with ${degrees} degrees of freedom, expected a whole number from 1 to 100,000`);
  }
  if (t === Infinity) return 0;
  if (t === -Infinity) return 1;
  const half = Math.min(1, central(Math.abs(t), degrees)) / 2;
  return t > 0 ? 0.5 - half : 0.5 + half;
}

/**
 * The value that the distribution exceeds with a probability.
 *
 * @param probability above 0 and below 0.5
 * @param degrees of freedom, as {@linkcode tailProbability} takes them
 */
export function upperQuantile(probability: number, degrees: number): number {
  if (!(probability > 1e-9 && probability < 0.5)) {
    throw new RangeError(`Quantile of probability ${probability}, expected one between 1e-9 and 0.5`);
  }
  let low = 0;
  let high = 1;
  while (tailProbability(high, degrees) > probability) high *= 2;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (tailProbability(middle, degrees) > probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
