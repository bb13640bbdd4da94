/** Text as a corpus' source: tokenised, shuffled and cached. */
import type { CorpusDescription, CorpusSource } from "../corpus_source.ts";
import { type CorpusOptions, DEFAULT_CACHE_FOLDER } from "../options.ts";
import type { Ingredients } from "../text_ingredients.ts";
import { openPrepared, type PreparedFolder } from "./cache.ts";
import { PreparedCorpus } from "./prepared_corpus.ts";

/** A source of documents. */
export function textSource(ingredients: Ingredients): CorpusSource {
  return {
    name: ingredients.name,
    describe: () => describe(ingredients),
    open: async (options) => {
      const prepared = await openText(ingredients, options);
      const { sequenceLength, weights, domainTokens } = options;
      const { name } = ingredients;
      const { weights: own = weights?.[name] } = ingredients;
      const corpus = new PreparedCorpus(ingredients, prepared, sequenceLength, own, domainTokens?.[name]);
      const tokens = prepared.manifest.domains.map(({ name, train }) => [name, train.tokens] as const);
      return { corpus, domainTokens: new Map(tokens) };
    },
  };
}

/** Prepared documents, with what is odd of them told. */
export async function openText(
  ingredients: Ingredients,
  { cacheFolder = DEFAULT_CACHE_FOLDER, onProgress = () => {} }: CorpusOptions,
): Promise<PreparedFolder> {
  const prepared = await openPrepared(ingredients, cacheFolder, onProgress);
  const { oddRows } = prepared.manifest;
  if (oddRows !== undefined) onProgress({ stage: "odd rows", corpus: ingredients.name, ...oddRows });
  return prepared;
}

function describe({ name, digest, sources, expected, tokenizer }: Ingredients): CorpusDescription {
  const tokens = (split: "train" | "validation") =>
    Math.round(expected.bytes[split] / tokenizer.bytesPerToken) + expected.documents[split];
  return {
    name,
    digest,
    exact: expected.exact,
    bytes: expected.bytes,
    tokens: { train: tokens("train"), validation: tokens("validation") },
    sources,
  };
}
