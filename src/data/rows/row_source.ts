/** Rows of tokens as a corpus' source. */
import { PROSE_BYTES_PER_TOKEN } from "../../formats/bpe/bpe_tokenizer.ts";
import { type CorpusDescription, type CorpusSource, textBytes } from "../corpus_source.ts";
import { openText } from "../prepared/text_source.ts";
import { RowCorpus } from "./row_corpus.ts";
import type { RowIngredients } from "./row_ingredients.ts";

/** A source of rows that are in training order already. */
export function rowSource(ingredients: RowIngredients): CorpusSource {
  return {
    name: ingredients.name,
    describe: () => describe(ingredients),
    open: async (options) => {
      const { validation } = ingredients;
      const prepared = validation === undefined ? undefined : await openText(validation, options);
      const corpus = await RowCorpus.open(ingredients, prepared, options.onProgress ?? (() => {}));
      return { corpus, domainTokens: new Map() };
    },
  };
}

function describe({ name, digest, sources, rows, rowTokens, validation }: RowIngredients): CorpusDescription {
  const held = validation === undefined
    ? rows.validation * rowTokens
    : Math.round(validation.expected.bytes.validation / PROSE_BYTES_PER_TOKEN);
  const tokens = { train: rows.train * rowTokens, validation: held };
  return { name, digest, exact: false, bytes: textBytes(tokens, PROSE_BYTES_PER_TOKEN), tokens, sources };
}
