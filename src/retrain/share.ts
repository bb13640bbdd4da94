/** Shares of all segments: so many verifiers retrain a part each, at the same time. Web-standard APIs only. */
import { UserError } from "../errors.ts";
import type { Segment } from "./segment.ts";

/** One of several parts: the third of eight is `{ share: 3, shares: 8 }`. */
export interface Share {
  /** from 1 */
  readonly share: number;
  /** how many there are */
  readonly shares: number;
}

/** Parts that all segments may be divided into. */
export const MAX_SHARES = 10_000;

/**
 * A share as it is written: `3/8`.
 *
 * @throws {UserError} `BAD_SHARE`
 */
export function parseShare(text: string): Share {
  const [, share, shares] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  const parsed = { share: Number(share), shares: Number(shares) };
  if (parsed.share <= parsed.shares && parsed.shares <= MAX_SHARES) return parsed;
  throw new UserError(
    "BAD_SHARE",
    `"${text}" is no share`,
    `write I/N, the I-th of N parts, such as 3/8, with at most ${MAX_SHARES} parts`,
  );
}

/** `3/8`. */
export function shareName({ share, shares }: Share): string {
  return `${share}/${shares}`;
}

/**
 * The segments of a share. Every segment is in one of the shares; they lie beside each other, and have about as many
 * tokens as those of every other share: a segment belongs where its middle lies.
 *
 * @param segments all of a manifest, in its order
 * @returns in the same order; none where there are fewer segments than shares
 */
export function segmentsOfShare(segments: readonly Segment[], { share, shares }: Share): Segment[] {
  // An attempted step weighs as much as a step; a segment of no tokens at all still has to be in one share.
  const weights = segments.map(({ tokens }) => BigInt(Math.max(1, tokens)));
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  let before = 0n;
  return segments.filter((_, index) => {
    const weight = weights[index] ?? 0n;
    const place = (BigInt(shares) * (2n * before + weight)) / (2n * total);
    before += weight;
    return place === BigInt(share - 1);
  });
}
