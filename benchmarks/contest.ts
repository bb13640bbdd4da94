/** Several trainers on one task, measured in turn, round after round, so that a busy machine slows all of them. */
import type { Peer } from "./peers/peer.ts";
import { median } from "./statistics.ts";

/** A trainer with the steps it takes in a round: enough for about two seconds. */
export interface Contestant {
  readonly peer: Peer;
  readonly stepsPerRound: number;
}

/** What was measured of one trainer. */
export interface Measurement {
  readonly peer: Peer;
  /** of every round */
  readonly tokensPerSecond: readonly number[];
  /** of every step from the first, the warm-up's included; nats a token */
  readonly losses: readonly number[];
}

/**
 * Trains in turn: A B C, A B C, … One untimed round of a single step each comes before.
 *
 * @param tokensPerStep tokens of one optimizer step
 * @param onTurn told before every turn: the round from 0, −1 for the warm-up
 */
export async function runContest(
  contestants: readonly Contestant[],
  rounds: number,
  tokensPerStep: number,
  onTurn: (peer: Peer, round: number) => void = () => {},
): Promise<Measurement[]> {
  const measurements = contestants.map(({ peer }) => ({
    peer,
    tokensPerSecond: [] as number[],
    losses: [] as number[],
  }));
  for (let round = -1; round < rounds; round++) {
    for (const [i, { peer, stepsPerRound }] of contestants.entries()) {
      onTurn(peer, round);
      const steps = round < 0 ? 1 : stepsPerRound;
      const { seconds, losses } = await peer.train(steps);
      measurements[i]?.losses.push(...losses);
      if (round >= 0) measurements[i]?.tokensPerSecond.push(steps * tokensPerStep / seconds);
    }
  }
  return measurements;
}

/** How many times as fast the first is as the second: the median of the rounds' own ratios. */
export function medianRatio(ours: Measurement, other: Measurement): number {
  return median(ours.tokensPerSecond.map((speed, round) => speed / (other.tokensPerSecond[round] ?? NaN)));
}

/** Whether all trained the same: over the steps that every trainer took. */
export interface Agreement {
  /** steps compared, from the first */
  readonly steps: number;
  /** largest difference of a loss from the first trainer's, over that */
  readonly worst: number;
}

/** Compares the losses of every trainer with those of the first, step by step. */
export function compareLosses(measurements: readonly Measurement[]): Agreement {
  const steps = Math.min(...measurements.map(({ losses }) => losses.length));
  const [reference] = measurements;
  if (reference === undefined) throw new RangeError("Nothing was measured");
  let worst = 0;
  for (const { losses } of measurements) {
    for (let step = 0; step < steps; step++) {
      const expected = reference.losses[step] ?? NaN;
      const difference = Math.abs((losses[step] ?? NaN) - expected) / Math.abs(expected);
      // A NaN, which compares false, must not pass as agreement.
      if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
    }
  }
  return { steps, worst };
}
