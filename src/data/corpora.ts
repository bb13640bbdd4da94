/** The way into the data: describe both corpora for a plan, or open them for training. */
import type { Corpus } from "./corpus.ts";
import type { CorpusDescription, CorpusSource } from "./corpus_source.ts";
import type { CorpusOptions } from "./options.ts";
import { type Shortage, shortagesOf } from "./shortage.ts";
import { chooseSources, type ForAll } from "./source_choice.ts";

export type { CorpusDescription } from "./corpus_source.ts";
export type { ForAll, ForBoth } from "./source_choice.ts";

/**
 * Reads the sources' digests, holds them against the lockfile, and says what the corpora will be, and the mixes that are
 * asked for. Nothing is tokenised or written.
 *
 * @throws {UserError} for sources that are missing, unreadable or not the pinned ones
 *
 * @example
 * ```ts ignore
 * import { describeCorpora } from "./corpora.ts";
 *
 * const { upstream } = await describeCorpora({ source: { kind: "npm" }, sequenceLength: 128 });
 * console.log(upstream.digest, upstream.tokens.train);
 * ```
 */
export async function describeCorpora(
  options: CorpusOptions,
): Promise<ForAll<CorpusDescription>> {
  const { upstream, downstream, mixes } = await chooseSources(options);
  const described = Object.entries(mixes).map(([mix, source]) => [mix, source.describe()] as const);
  return { upstream: upstream.describe(), downstream: downstream.describe(), mixes: Object.fromEntries(described) };
}

/**
 * Opens both corpora and the mixes that are asked for; prepares them first where the cache does not have them whole.
 *
 * @throws {UserError} for sources that are missing, unreadable, malformed, too short or not the pinned ones, and for a
 * cache that cannot be written
 *
 * @example
 * ```ts ignore
 * import { openCorpora } from "./corpora.ts";
 *
 * const { upstream, downstream } = await openCorpora({ source: { kind: "npm" }, sequenceLength: 128 });
 * const { tokens } = await upstream.batch(0, 16, 1); // shape (16, 129)
 * upstream.close();
 * downstream.close();
 * ```
 */
export async function openCorpora(
  options: CorpusOptions,
): Promise<OpenCorpora> {
  const sources = await chooseSources(options);
  const opened: Corpus[] = [];
  const open = async (source: CorpusSource) => {
    const corpus = await openOne(source, options);
    opened.push(corpus);
    return corpus;
  };
  const close = () => opened.forEach((corpus) => corpus.close());
  try {
    const upstream = await open(sources.upstream);
    const downstream = await open(sources.downstream);
    const mixes: Record<string, Corpus> = {};
    for (const [mix, source] of Object.entries(sources.mixes)) mixes[mix] = await open(source);
    return { upstream, downstream, mixes, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Corpora that are open. */
export interface OpenCorpora extends ForAll<Corpus> {
  /** Closes all of them. */
  readonly close: () => void;
}

/** Opens a corpus, and tells where it is shorter than the runs read. */
async function openOne(source: CorpusSource, options: CorpusOptions): Promise<Corpus> {
  const { corpus, domainTokens } = await source.open(options);
  for (const shortage of shortages(corpus, domainTokens, options)) {
    options.onProgress?.({ stage: "shortage", ...shortage });
  }
  return corpus;
}

/** @param domains training tokens of each domain, where a corpus is cut to some */
function shortages(
  { name, summary }: Corpus,
  domains: ReadonlyMap<string, number>,
  { sequenceLength, weights, domainTokens, samples }: CorpusOptions,
): Shortage[] {
  const wantedDomains = domainTokens?.[name];
  const ofDomains = weights?.[name];
  return shortagesOf({
    corpus: name,
    domains,
    tokens: summary.windows.train * sequenceLength,
    wantedTokens: (samples?.[name] ?? 0) * sequenceLength,
    wantedDomains,
    weights: ofDomains,
  });
}
