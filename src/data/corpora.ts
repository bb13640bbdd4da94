/** The way into the data: describe both corpora for a plan, or open them for training. */
import type { Digest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import { PROSE_BYTES_PER_TOKEN } from "../formats/bpe/bpe_tokenizer.ts";
import type { Corpus } from "./corpus.ts";
import { corpusTokenizer } from "./corpus_tokenizer.ts";
import { readDataLock } from "./data_lock.ts";
import type { PerSplit, Split } from "./domain.ts";
import { embeddedIngredients } from "./embedded/ingredients.ts";
import { MegatronCorpus } from "./gpt_neox/corpus.ts";
import { areMegatronFiles, type MegatronIngredients, megatronIngredients } from "./gpt_neox/ingredients.ts";
import { hubIngredients } from "./hub/ingredients.ts";
import type { Ingredients, Settings, SourceDigest } from "./ingredients.ts";
import { openTokenizer } from "./open_tokenizer.ts";
import { type CorpusOptions, DEFAULT_CACHE_FOLDER, DEFAULT_DATA_SEED } from "./options.ts";
import { openPrepared, type PreparedFolder } from "./prepared/cache.ts";
import { PreparedCorpus } from "./prepared/corpus.ts";
import { RowCorpus } from "./rows/corpus.ts";
import type { RowIngredients } from "./rows/ingredients.ts";
import { type Shortage, shortagesOf } from "./shortage.ts";
import { fileIngredients } from "./text/ingredients.ts";

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

/** Something for each of the two corpora. */
export type ForBoth<T> = Readonly<Record<CorpusName, T>>;

/** Of one of the three kinds of corpora: text, rows of tokens, and Megatron files. */
type AnyIngredients = Ingredients | RowIngredients | MegatronIngredients;

/** Digests of all sources, held against the lockfile, and of the corpora. */
async function gatherIngredients(options: CorpusOptions): Promise<ForBoth<AnyIngredients>> {
  const { source, sequenceLength, dataSeed = DEFAULT_DATA_SEED } = options;
  if (!Number.isSafeInteger(dataSeed) || dataSeed < 0) {
    throw new UserError("INVALID_DATA_SEED", `Data seed ${dataSeed} is no whole number from 0 to 2^53 − 1`);
  }
  if (!Number.isSafeInteger(sequenceLength) || sequenceLength < 1) {
    throw new UserError("INVALID_SEQUENCE_LENGTH", `Sequence length ${sequenceLength} is no whole number above 0`);
  }
  const lock = await readDataLock(options.lockFile);
  const tokenizer = await openTokenizer(await corpusTokenizer(source, lock), lock, options.vocabularySize);
  const settings: Settings = { options, tokenizer, dataSeed, lock };
  if (source.kind === "npm") return await embeddedIngredients(settings);
  if (source.kind === "huggingface") {
    return {
      upstream: await hubIngredients("upstream", source, settings),
      downstream: await hubIngredients("downstream", source, settings),
    };
  }
  const gather = async (name: CorpusName) =>
    areMegatronFiles(name, source[name])
      ? await megatronIngredients(name, source[name], settings)
      : await fileIngredients(name, source[name], settings);
  return { upstream: await gather("upstream"), downstream: await gather("downstream") };
}

function describe(ingredients: AnyIngredients): CorpusDescription {
  if ("rows" in ingredients) return describeRows(ingredients);
  if ("sets" in ingredients) return describeSets(ingredients);
  const { name, digest, sources, expected, tokenizer } = ingredients;
  const tokens = (split: "train" | "validation") =>
    Math.round(expected.bytes[split] / tokenizer.bytesPerToken) +
    expected.documents[split];
  return {
    name,
    digest,
    exact: expected.exact,
    bytes: expected.bytes,
    tokens: { train: tokens("train"), validation: tokens("validation") },
    sources,
  };
}

function describeRows({ name, digest, sources, rows, rowTokens, validation }: RowIngredients): CorpusDescription {
  const held = validation === undefined
    ? rows.validation * rowTokens
    : Math.round(validation.expected.bytes.validation / PROSE_BYTES_PER_TOKEN);
  const tokens = { train: rows.train * rowTokens, validation: held };
  return { name, digest, exact: false, bytes: textBytes(tokens, PROSE_BYTES_PER_TOKEN), tokens, sources };
}

function describeSets({ name, digest, sources, sets, tokenizer }: MegatronIngredients): CorpusDescription {
  const sum = (split: Split) => sets[split].reduce((total, set) => total + set.tokens, 0);
  const tokens = { train: sum("train"), validation: sum("validation") };
  return { name, digest, exact: false, bytes: textBytes(tokens, tokenizer.bytesPerToken), tokens, sources };
}

/** UTF-8 bytes that tokens stand for, estimated. */
function textBytes(tokens: PerSplit, bytesPerToken: number): PerSplit {
  return {
    train: Math.round(bytesPerToken * tokens.train),
    validation: Math.round(bytesPerToken * tokens.validation),
  };
}

/**
 * Reads the sources' digests, holds them against the lockfile, and says what the corpora will be. Nothing is
 * tokenised or written.
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
): Promise<ForBoth<CorpusDescription>> {
  const { upstream, downstream } = await gatherIngredients(options);
  return { upstream: describe(upstream), downstream: describe(downstream) };
}

/**
 * Opens both corpora; prepares them first where the cache does not have them whole.
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
): Promise<ForBoth<Corpus>> {
  const ingredients = await gatherIngredients(options);
  const upstream = await openOne(ingredients.upstream, options);
  try {
    return {
      upstream,
      downstream: await openOne(ingredients.downstream, options),
    };
  } catch (error) {
    upstream.close();
    throw error;
  }
}

async function openOne(
  ingredients: AnyIngredients,
  options: CorpusOptions,
): Promise<Corpus> {
  const onProgress = options.onProgress ?? (() => {});
  const opened = (corpus: Corpus, domains: ReadonlyMap<string, number> = new Map()): Corpus => {
    for (const shortage of shortages(corpus, domains, options)) onProgress({ stage: "shortage", ...shortage });
    return corpus;
  };
  const preparedFrom = async (ingredients: Ingredients): Promise<PreparedFolder> => {
    const prepared = await openPrepared(ingredients, options.cacheFolder ?? DEFAULT_CACHE_FOLDER, onProgress);
    const { oddRows } = prepared.manifest;
    if (oddRows !== undefined) onProgress({ stage: "odd rows", corpus: ingredients.name, ...oddRows });
    return prepared;
  };
  if ("rows" in ingredients) {
    const { validation } = ingredients;
    const prepared = validation === undefined ? undefined : await preparedFrom(validation);
    return opened(await RowCorpus.open(ingredients, prepared, onProgress));
  }
  if ("sets" in ingredients) return opened(MegatronCorpus.open(ingredients));
  const prepared = await preparedFrom(ingredients);
  const corpus = new PreparedCorpus(
    ingredients,
    prepared,
    options.sequenceLength,
    options.weights?.[ingredients.name],
    options.domainTokens?.[ingredients.name],
  );
  return opened(corpus, new Map(prepared.manifest.domains.map(({ name, train }) => [name, train.tokens])));
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
    ...(wantedDomains === undefined ? {} : { wantedDomains }),
    ...(ofDomains === undefined ? {} : { weights: ofDomains }),
  });
}
