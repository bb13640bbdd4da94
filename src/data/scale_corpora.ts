/** What a scale is trained on: the user's files, or the scale's own data. */
import type { Scale, ScaleData } from "../experiment/scale.ts";
import { tokensNeeded } from "./hub_choice.ts";
import type { NamedRepository } from "./hub_lock.ts";
import type { CorpusFiles, CorpusOptions } from "./options.ts";
import { SLIMPAJAMA, SLIMPAJAMA_WEIGHTS, slimPajamaTokens } from "./slimpajama.ts";

/** Models whose `tokenizer.json` is the one that a scale names. */
const TOKENIZERS = { "gpt-neox-20b": "EleutherAI/gpt-neox-20b" } as const;

/** The model on the hub that has a scale's tokenizer. */
export function tokenizerRepository({ tokenizer }: ScaleData & { readonly kind: "huggingface" }): NamedRepository {
  return { kind: "model", name: TOKENIZERS[tokenizer] };
}

/**
 * The options of {@linkcode openCorpora} that a scale determines. SlimPajama is blended by the paper's weights and cut
 * to its token counts.
 *
 * @param files in place of the scale's own data
 */
export function scaleCorpora(
  scale: Scale,
  files?: CorpusFiles,
): Pick<CorpusOptions, "source" | "weights" | "domainTokens"> {
  const { data } = scale;
  if (files !== undefined) return { source: { kind: "files", ...files } };
  if (data.kind === "npm") return { source: { kind: "npm" } };
  const isPaper = data.downstream.dataset === SLIMPAJAMA;
  return {
    source: {
      kind: "huggingface",
      upstream: { dataset: data.upstream.dataset, tokens: tokensNeeded(scale, "upstream") },
      downstream: { dataset: data.downstream.dataset, tokens: tokensNeeded(scale, "downstream") },
      tokenizer: tokenizerRepository(data).name,
    },
    ...(isPaper ? { weights: { downstream: SLIMPAJAMA_WEIGHTS } } : {}),
    ...(isPaper ? { domainTokens: { downstream: slimPajamaTokens(scale) } } : {}),
  };
}
