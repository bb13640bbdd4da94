/** Validation losses: the same fixed windows of both corpora every time. */
import type { Corpus } from "../data/corpus.ts";
import type { Session } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import type { BytesPerToken } from "./journal_header.ts";

/** Both corpora of a plan. */
export type Corpora = Readonly<Record<CorpusName, Corpus>>;

/** Mean cross-entropy of both validation sets, nats a token. */
export type ValidationLosses = Readonly<Record<CorpusName, number>>;

/**
 * Mean cross-entropy of windows, nats a token: the engine's f32 sums, added in doubles in their order.
 *
 * @param sequenceLength tokens of a window that are predicted
 */
export function meanLoss(sums: Iterable<number>, sequenceLength: number): number {
  let total = 0;
  let windows = 0;
  for (const sum of sums) {
    total += sum;
    windows++;
  }
  return total / (windows * sequenceLength);
}

/** Windows read once and kept, since every run evaluates the same ones. */
export class Validation {
  #windows: Record<CorpusName, Uint16Array>;

  private constructor(windows: Record<CorpusName, Uint16Array>) {
    this.#windows = windows;
  }

  /** @param windows validation windows of each corpus */
  static async load(corpora: Corpora, windows: number): Promise<Validation> {
    return new Validation({
      upstream: (await corpora.upstream.validationWindows(windows)).tokens,
      downstream: (await corpora.downstream.validationWindows(windows)).tokens,
    });
  }

  /**
   * Losses under a session's weights.
   *
   * @param sequenceLength tokens of a window that are predicted
   */
  async losses(session: Session, sequenceLength: number): Promise<ValidationLosses> {
    const mean = async (tokens: Uint16Array): Promise<number> => {
      return meanLoss(await session.evaluate(tokens), sequenceLength);
    };
    return { upstream: await mean(this.#windows.upstream), downstream: await mean(this.#windows.downstream) };
  }
}

/** Validation windows of both corpora by their number; the last ones are kept. */
export class ValidationSets {
  #last: { readonly windows: number; readonly loaded: Validation } | undefined;

  constructor(private readonly corpora: Corpora) {}

  /** @param windows validation windows of each corpus */
  async get(windows: number): Promise<Validation> {
    if (this.#last?.windows !== windows) {
      this.#last = { windows, loaded: await Validation.load(this.corpora, windows) };
    }
    return this.#last.loaded;
  }
}

/** Bytes of validation text that a token stands for. */
export function bytesPerTokenOf({ upstream, downstream }: Corpora): BytesPerToken {
  const ratio = ({ summary: { bytes, tokens } }: Corpus) => bytes.validation / tokens.validation;
  return { upstream: ratio(upstream), downstream: ratio(downstream) };
}

/** Refuses a corpus whose digest is not the one that a run was planned with. */
export function requireCorpus(corpora: Corpora, name: CorpusName, digest: string): Corpus {
  const corpus = corpora[name];
  if (corpus.digest !== digest) {
    throw new UserError(
      "DIGEST_MISMATCH",
      `The ${name} corpus has the digest ${corpus.digest}, but the run was planned with ${digest}`,
      "plan again with the data at hand, or restore the data",
    );
  }
  return corpus;
}
