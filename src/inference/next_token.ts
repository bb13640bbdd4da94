/** Choosing a token from logits: the likeliest one, or one drawn from the top of a softmax. The same on every machine. */
import { exp } from "../arithmetic/elementary.ts";
import { philox } from "../arithmetic/philox.ts";
import { STREAM } from "../arithmetic/streams.ts";

/** How tokens are chosen. */
export interface SamplingOptions {
  /** logits are divided by it; 0 takes the likeliest token always */
  readonly temperature: number;
  /** draws from the fewest likeliest tokens that together have this share of the probability; 1: from all */
  readonly topP: number;
  /** an integer from 0 to 2^53 − 1 */
  readonly seed: number;
}

/**
 * Chooses the token after a text.
 *
 * @param logits of the tokens that may be chosen, in the order of their ids
 * @param index tokens chosen before this one: the draw is a function of seed and index
 * @returns the token's id; of equally likely ones the lowest comes first
 * @throws {RangeError} if a logit is not finite, or an option is out of its range
 */
export function chooseToken(logits: Float32Array, options: SamplingOptions, index: number): number {
  const { temperature, topP, seed } = options;
  if (!(temperature >= 0 && temperature < Infinity)) throw new RangeError(`Temperature ${temperature} is below 0`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`Top-p ${topP} is outside (0, 1]`);
  let best = 0;
  logits.forEach((logit, id) => {
    if (!Number.isFinite(logit)) throw new RangeError(`The logit of token ${id} is ${logit}`);
    if (logit > (logits[best] ?? NaN)) best = id;
  });
  if (temperature === 0) return best;
  return draw(nucleus(logits, logits[best] ?? 0, temperature, topP), uniform(seed, index));
}

interface Candidate {
  readonly id: number;
  /** not normalised */
  readonly probability: number;
}

/** The fewest tokens with the share `topP`, likeliest first. */
function nucleus(logits: Float32Array, largest: number, temperature: number, topP: number): readonly Candidate[] {
  const candidates = Array.from(logits, (logit, id) => ({ id, probability: exp((logit - largest) / temperature) }))
    .filter(({ probability }) => probability > 0)
    .sort((a, b) => b.probability - a.probability || a.id - b.id);
  const needed = topP * candidates.reduce((sum, { probability }) => sum + probability, 0);
  let sum = 0;
  const kept = candidates.findIndex(({ probability }) => (sum += probability) >= needed);
  return kept < 0 ? candidates : candidates.slice(0, kept + 1);
}

/** @param u uniform in [0, 1) */
function draw(candidates: readonly Candidate[], u: number): number {
  const target = u * candidates.reduce((sum, { probability }) => sum + probability, 0);
  let sum = 0;
  const drawn = candidates.find(({ probability }) => (sum += probability) > target) ?? candidates.at(-1);
  if (drawn === undefined) throw new RangeError("There is no token to choose");
  return drawn.id;
}

/** 53 random bits as a double in [0, 1). */
function uniform(seed: number, index: number): number {
  const words = new Uint32Array(4);
  philox(
    [seed >>> 0, Math.floor(seed / 4294967296) >>> 0],
    [index >>> 0, Math.floor(index / 4294967296) >>> 0, 0, STREAM.sampling],
    words,
  );
  const [high = 0, low = 0] = words;
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}
