/** What a corpus is made from, whatever kind it is of: a dataset of text, rows of tokens, Megatron files. */
import type { Digest } from "../digest/sha256.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { Corpus } from "./corpus.ts";
import type { PerSplit } from "./domain.ts";
import type { CorpusOptions } from "./options.ts";
import type { SourceDigest } from "./text_ingredients.ts";

/** A corpus before anything is tokenised. */
export interface CorpusDescription {
  readonly name: CorpusName;
  /** the digest that the opened corpus will have */
  readonly digest: Digest;
  /** whether `bytes` and `tokens` are counted, not estimated from the sizes of files */
  readonly exact: boolean;
  /** UTF-8 bytes of text */
  readonly bytes: PerSplit;
  readonly tokens: PerSplit;
  readonly sources: readonly SourceDigest[];
}

/** A corpus that is open. */
export interface OpenedCorpus {
  readonly corpus: Corpus;
  /** training tokens of each domain, where a corpus is mixed by domains; empty for other kinds */
  readonly domainTokens: ReadonlyMap<string, number>;
}

/** A source of one kind. Whoever adds a kind implements this, and chooses it in `source_choice.ts`. */
export interface CorpusSource {
  readonly name: CorpusName;
  /** What the corpus will be; nothing is tokenised or written. */
  describe(): CorpusDescription;
  /**
   * The corpus, prepared first where the cache does not have it whole.
   *
   * @throws {UserError} for sources that are missing, unreadable, malformed, too short or not the pinned ones
   */
  open(options: CorpusOptions): Promise<OpenedCorpus>;
}

/** UTF-8 bytes that tokens stand for, estimated. */
export function textBytes(tokens: PerSplit, bytesPerToken: number): PerSplit {
  return {
    train: Math.round(bytesPerToken * tokens.train),
    validation: Math.round(bytesPerToken * tokens.validation),
  };
}
