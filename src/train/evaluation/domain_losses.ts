/** Losses of a corpus's validation windows, in all and by domain: what training evaluates, looked at closer. */
import type { Corpus } from "../../data/corpus.ts";
import type { Session } from "../../engine/engine.ts";
import { meanLoss } from "./mean_loss.ts";

/** Mean cross-entropy of some windows. */
export interface WindowsLoss {
  readonly windows: number;
  /** nats a token */
  readonly loss: number;
}

/** That of a corpus, and of its parts. */
export interface CorpusLoss extends WindowsLoss {
  /** by domain, in the order in which they first come */
  readonly domains: ReadonlyMap<string, WindowsLoss>;
}

/**
 * Evaluates a corpus's validation windows. The loss of all of them is the number that training writes into a curve;
 * where that keeps losses by document, training adds theirs, and the last bit may be another.
 *
 * @param windows how many
 * @param sequenceLength tokens of a window that are predicted
 */
export async function evaluateCorpus(
  session: Pick<Session, "evaluate">,
  corpus: Pick<Corpus, "validationWindows">,
  windows: number,
  sequenceLength: number,
): Promise<CorpusLoss> {
  const { tokens, domains } = await corpus.validationWindows(windows);
  const sums = await session.evaluate(tokens);
  const lossOf = (of: readonly number[]) => ({ windows: of.length, loss: meanLoss(of, sequenceLength) });
  const byDomain = Map.groupBy(sums, (_, i) => domains[i] ?? "");
  return {
    ...lossOf([...sums]),
    domains: new Map([...byDomain].map(([domain, of]) => [domain, lossOf(of)])),
  };
}
