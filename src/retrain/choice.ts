/** The verifier's random choice of segments, and what it is worth. docs/verification.md states it to the last bit. */
import { philox } from "../arithmetic/philox.ts";
import { STREAM } from "../arithmetic/streams.ts";
import { UserError } from "../errors.ts";
import type { Segment } from "./segment.ts";

/** A verifier's randomness: 128 bits as 32 lower-case hexadecimal digits. */
export type RetrainingSeed = string;

/** Fresh randomness of the operating system. */
export function drawSeed(): RetrainingSeed {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

/** @throws {UserError} `BAD_RETRAIN_SEED` */
export function parseSeed(text: string): RetrainingSeed {
  const seed = text.toLowerCase();
  if (/^[0-9a-f]{32}$/.test(seed)) return seed;
  throw new UserError("BAD_RETRAIN_SEED", `"${text}" is no seed of a choice`, "give 32 hexadecimal digits");
}

/** A whole number below `bound` for each draw: ⌊w · bound / 2^64⌋ of the block's first two words w. */
class Draws {
  readonly #words: readonly [number, number, number, number];
  readonly #block = new Uint32Array(4);
  #draw = 0;

  constructor(seed: RetrainingSeed) {
    const word = (index: number) => Number.parseInt(seed.slice(8 * index, 8 * index + 8), 16);
    this.#words = [word(0), word(1), word(2), word(3)];
  }

  below(bound: bigint): bigint {
    const [key0, key1, counter1, counter2] = this.#words;
    philox([key0, key1], [this.#draw++, counter1, counter2, STREAM.retrainingChoice], this.#block);
    const value = (BigInt(this.#block[0] ?? 0) << 32n) | BigInt(this.#block[1] ?? 0);
    return (value * bound) >> 64n;
  }
}

/**
 * Draws distinct segments, each draw among those that are left with a probability proportional to their tokens.
 *
 * @param segments in the order of the manifest; a segment without tokens is never drawn
 * @returns the chosen ones in that same order; all with tokens if there are no more than `count`
 */
export function chooseSegments(segments: readonly Segment[], count: number, seed: RetrainingSeed): Segment[] {
  const draws = new Draws(seed);
  const left = segments.filter(({ tokens }) => tokens > 0);
  if (count >= left.length) return left;
  const chosen = new Set<Segment>();
  while (chosen.size < count && left.length > 0) {
    let ticket = draws.below(BigInt(left.reduce((sum, { tokens }) => sum + tokens, 0)));
    let index = 0;
    for (; index < left.length - 1; index++) {
      const weight = BigInt(left[index]?.tokens ?? 0);
      if (ticket < weight) break;
      ticket -= weight;
    }
    for (const segment of left.splice(index, 1)) chosen.add(segment);
  }
  return segments.filter((segment) => chosen.has(segment));
}

/** Probability, at least, that `count` draws hit segments with a share of all tokens: 1 − (1 − share)^count. */
export function detectionProbability(share: number, count: number): number {
  let missed = 1;
  for (let draw = 0; draw < count; draw++) missed *= 1 - share;
  return 1 - missed;
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value.toFixed(value < 10 && value > 0 ? 1 : 0)} %`;
}

/**
 * What drawing so many segments is worth, in whole sentences.
 *
 * @param condition what it rests on: the forger must not have known the seed
 */
export function worthOf(
  segments: readonly Segment[],
  count: number,
  condition = "This holds if the seed was drawn after the manifest was signed.",
): string {
  const weights = segments.map(({ tokens }) => tokens).filter((tokens) => tokens > 0);
  if (count >= weights.length) {
    return "Every segment was retrained: a forger who altered any would have been caught.";
  }
  const total = weights.reduce((sum, tokens) => sum + tokens, 0);
  const smallest = weights.reduce((least, tokens) => Math.min(least, tokens), total) / total;
  const numbers = [0.01, 0.05, 0.1].map((share) =>
    `${percent(detectionProbability(share, count))} for p = ${percent(share)}`
  );
  return `A forger who altered a share p of the segments, by tokens, would have been caught with probability ` +
    `1 − (1 − p)^${count} or more: ${numbers.join(", ")}; for the smallest segment alone, p = ${percent(smallest)}, ` +
    `${percent(detectionProbability(smallest, count))}. ${condition}`;
}
