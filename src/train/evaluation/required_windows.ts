/**
 * Whether the corpora of a plan reach as far as its runs read, asked before training: a corpus whose order was made for
 * some number of windows refuses a later one, and that would be after hours.
 */
import { replayDue } from "../../data/mixture.ts";
import type { Corpus } from "../../data/corpus.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { corporaOf, type PlanCorpora } from "./evaluation.ts";

/** The last window that runs read of a corpus, in one of its orders. */
interface LastWindow {
  readonly corpus: Corpus;
  readonly orderSeed: number;
  readonly index: number;
}

/**
 * Reads the last window of each order that runs read, and nothing else.
 *
 * @throws {UserError} as `Corpus.batch` throws
 */
export async function requireWindows(runs: readonly PlannedRun[], corpora: PlanCorpora): Promise<void> {
  const last = new Map<string, LastWindow>();
  for (const run of runs) {
    for (const window of lastWindows(run, corpora)) {
      const name = `${window.corpus.digest} ${window.orderSeed}`;
      if (window.index > (last.get(name)?.index ?? -1)) last.set(name, window);
    }
  }
  for (const { corpus, index, orderSeed } of last.values()) await corpus.batch(index, 1, orderSeed);
}

function lastWindows({ specification, steps }: PlannedRun, all: PlanCorpora): LastWindow[] {
  const { corpus: { name }, replay, penalty, orderSeed, batchSequences } = specification;
  const corpora = corporaOf(all, specification);
  const windows = steps * batchSequences;
  const due = replay === undefined ? 0 : replayDue(replay, batchSequences, windows);
  const fisher = penalty?.kind === "ewc" ? penalty.fisherWindows : 0;
  return [
    { corpus: corpora[name], orderSeed, index: windows - Math.floor(due) - 1 },
    { corpus: corpora.upstream, orderSeed, index: Math.max(Math.ceil(due), fisher) - 1 },
  ].filter(({ index }) => index >= 0);
}
