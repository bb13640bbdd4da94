/** Validation losses: the same fixed windows of both corpora every time. */
import type { Corpus } from "../data/corpus.ts";
import type { Session } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import type { CorpusName, RunSpecification } from "../experiment/run.ts";
import type { BytesPerToken } from "./journal_header.ts";

/** Both corpora of a run. */
export type Corpora = Readonly<Record<CorpusName, Corpus>>;

/** Both corpora of a plan, and the mixes that some of its runs have for downstream, by their names. */
export interface PlanCorpora extends Corpora {
  readonly mixes?: Readonly<Record<string, Corpus>>;
}

/**
 * The corpora of a run of the plan.
 *
 * @throws {UserError} `MIX_NOT_GIVEN` if its mix is not among them
 */
export function corporaOf(
  { upstream, downstream, mixes = {} }: PlanCorpora,
  { corpus: { mix } }: Pick<RunSpecification, "corpus">,
): Corpora {
  if (mix === undefined) return { upstream, downstream };
  const corpus = Object.hasOwn(mixes, mix) ? mixes[mix] : undefined;
  if (corpus !== undefined) return { upstream, downstream: corpus };
  throw new UserError("MIX_NOT_GIVEN", `The mix "${mix}" is not at hand`, `give its files with --mix ${mix}=PATH`);
}

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

/** Validation windows of a run's corpora by their number; the last ones are kept. */
export class ValidationSets {
  #last: { readonly windows: number; readonly corpora: Corpora; readonly loaded: Validation } | undefined;

  /**
   * @param corpora of a run
   * @param windows validation windows of each corpus
   */
  async get(corpora: Corpora, windows: number): Promise<Validation> {
    const { upstream, downstream } = corpora;
    const last = this.#last;
    if (last?.windows === windows && last.corpora.upstream === upstream && last.corpora.downstream === downstream) {
      return last.loaded;
    }
    const loaded = await Validation.load(corpora, windows);
    this.#last = { windows, corpora, loaded };
    return loaded;
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
