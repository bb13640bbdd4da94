/** Megatron files as a corpus' source, read in GPT-NeoX's own order. */
import { type CorpusDescription, type CorpusSource, textBytes } from "../corpus_source.ts";
import type { Split } from "../domain.ts";
import { MegatronCorpus } from "./megatron_corpus.ts";
import type { MegatronIngredients } from "./megatron_ingredients.ts";

/** A source of files that GPT-NeoX tokenised. */
export function megatronSource(ingredients: MegatronIngredients): CorpusSource {
  return {
    name: ingredients.name,
    describe: () => describe(ingredients),
    open: () => Promise.resolve({ corpus: MegatronCorpus.open(ingredients), domainTokens: new Map() }),
  };
}

function describe({ name, digest, sources, sets, tokenizer }: MegatronIngredients): CorpusDescription {
  const sum = (split: Split) => sets[split].reduce((total, set) => total + set.tokens, 0);
  const tokens = { train: sum("train"), validation: sum("validation") };
  return { name, digest, exact: false, bytes: textBytes(tokens, tokenizer.bytesPerToken), tokens, sources };
}
