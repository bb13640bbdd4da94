/** Rows of the user's files that are not taken as they stand: counted, so that nobody has to guess what became of them. */
import { z } from "zod";
import type { CorpusName } from "../../experiment/run/run.ts";

/** How many rows of a corpus are not taken as they stand. */
export interface OddRows {
  /** their `text` is missing or null: they are passed over */
  readonly withoutText: number;
  /** their `meta` is no object: they are documents of the domain `default` */
  readonly otherMeta: number;
}

const count = z.int().nonnegative();

/** See {@linkcode OddRows}. */
export const oddRowsSchema = z.strictObject({ withoutText: count, otherMeta: count }) satisfies z.ZodType<OddRows>;

/** In what a row is odd. */
export type Oddity = keyof OddRows;

/** Whoever reads rows tells of the odd ones, one at a time or some that follow on each other. */
export type OnOddRow = (oddity: Oddity, rows?: number) => void;

/** Counts odd rows. */
export class OddRowCounter {
  #withoutText = 0;
  #otherMeta = 0;

  /** To be handed to whoever reads. */
  readonly count: OnOddRow = (oddity, rows = 1) => {
    if (oddity === "withoutText") this.#withoutText += rows;
    else this.#otherMeta += rows;
  };

  /** Those so far; undefined if there were none. */
  get rows(): OddRows | undefined {
    const [withoutText, otherMeta] = [this.#withoutText, this.#otherMeta];
    return withoutText + otherMeta === 0 ? undefined : { withoutText, otherMeta };
  }
}

/** Odd rows in whole sentences. */
export function describeOddRows(corpus: CorpusName, { withoutText, otherMeta }: OddRows): string[] {
  const rows = (number: number) => `${number.toLocaleString("en")} ${number === 1 ? "row" : "rows"}`;
  return [
    ...(withoutText === 0 ? [] : [
      `In the ${corpus} corpus, ${rows(withoutText)} without a "text" (it is missing or null) ` +
      `${withoutText === 1 ? "was" : "were"} passed over.`,
    ]),
    ...(otherMeta === 0 ? [] : [
      `In the ${corpus} corpus, ${rows(otherMeta)} with a "meta" that is no object went into the domain "default".`,
    ]),
  ];
}
