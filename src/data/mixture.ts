/**
 * Batches of two corpora. Which of them the next window is from is decided by GPT-NeoX's greedy rule (blend.ts), window
 * by window; each corpus keeps its own order, so that the windows of the one that is trained on come in the same sequence
 * as without replay, and fewer of them are reached.
 */
import type { ReplaySpecification } from "../experiment/run/replay.ts";
import { Turns } from "./blend.ts";
import type { Batch, Corpus } from "./corpus.ts";
import { collectWindows } from "./windows.ts";

/** Index of the corpus that is trained on; the first of two wins a tie. */
const OWN = 0;
/** Index of the corpus that is replayed. */
const REPLAYED = 1;

/**
 * Windows due to be replayed among the first `position` of a run: the sum of the shares of each.
 *
 * @param batchSequences windows of an optimizer step
 */
export function replayDue({ percent, from }: ReplaySpecification, batchSequences: number, position: number): number {
  if (from === undefined) return percent / 100 * position;
  const ramp = from.steps * batchSequences;
  const inRamp = Math.min(position, ramp);
  const fall = (from.percent - percent) * inRamp * inRamp / (2 * ramp);
  return (percent * position + (from.percent - percent) * inRamp - fall) / 100;
}

/** Batches of one run with replay. */
export class Mixture {
  readonly #turns: Turns;
  readonly #corpora: readonly Corpus[];
  readonly #sequences: number;

  /**
   * @param own what is trained on
   * @param replayed windows of the same length
   * @param sequences windows of an optimizer step
   */
  constructor(replay: ReplaySpecification, own: Corpus, replayed: Corpus, sequences: number) {
    this.#corpora = [own, replayed];
    this.#sequences = sequences;
    this.#turns = new Turns(2, (corpus, position) => {
      const due = replayDue(replay, sequences, position);
      return corpus === REPLAYED ? due : position - due;
    });
  }

  /** The batch of an optimizer step: a pure function of both corpora, the share, the seed and the step. */
  async batch(step: number, orderSeed: number): Promise<Batch> {
    const { domains, indices } = this.#turns.range(step * this.#sequences, this.#sequences);
    // A batch of one sequence is a single window of the corpus, by its place in the order.
    const windows: Uint16Array[] = [];
    for (const [i, corpus] of domains.entries()) {
      const { tokens } = await (this.#corpora[corpus] ?? this.#own).batch(indices[i] ?? 0, 1, orderSeed);
      windows.push(tokens);
    }
    return collectWindows(windows.length, windows[0]?.length ?? 0, (i, into) => into.set(windows[i] ?? []));
  }

  get #own(): Corpus {
    return this.#corpora[OWN] as Corpus;
  }
}
