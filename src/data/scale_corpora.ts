/** What a scale is trained on: the user's files, or the scale's own data. */
import type { CorpusName } from "../experiment/run/run.ts";
import type { Scale } from "../experiment/scale/scale.ts";
import type { ModelConfig } from "../model/config.ts";
import type { CorpusFiles, CorpusOptions } from "./options.ts";
import { SLIMPAJAMA, slimPajamaTokens, slimPajamaWeights } from "./slimpajama.ts";
import { tokensNeeded } from "./tokens_needed.ts";

/** Models whose `tokenizer.json` is the one that a scale names. */
const TOKENIZERS = { "gpt-neox-20b": "EleutherAI/gpt-neox-20b" } as const;

/**
 * The options of {@linkcode openCorpora} that a scale determines. SlimPajama is blended by the paper's weights and cut
 * to its token counts. Files are read with the scale's tokenizer where they name none.
 *
 * @param files in place of the scale's own data
 * @param hubCache folder of downloads; `.cache/hub` if not given
 */
export function scaleCorpora(
  scale: Scale,
  files?: CorpusFiles,
  hubCache?: string,
): Pick<CorpusOptions, "source" | "weights" | "domainTokens" | "samples"> {
  const { data } = scale;
  const rows = (corpus: CorpusName) => tokensNeeded(scale, corpus).train / (scale.model.config.sequenceLength + 1);
  const samples = { upstream: rows("upstream"), downstream: rows("downstream") };
  if (files !== undefined) {
    const scaleTokenizer = data.kind !== "huggingface"
      ? undefined
      : { scale: scale.name, tokenizer: TOKENIZERS[data.tokenizer], hubCache };
    return { source: { kind: "files", ...files, scaleTokenizer }, samples };
  }
  // The packages are short: runs are meant to read them more than once.
  if (data.kind === "npm") return { source: { kind: "npm" } };
  if (data.kind === "embedded") {
    const { upstream, downstream, mixes } = data;
    return { source: { kind: "embedded", upstream, downstream: mixes[downstream] ?? {}, mixes } };
  }
  const isPaper = data.downstream.dataset === SLIMPAJAMA;
  return {
    source: {
      kind: "huggingface",
      upstream: {
        dataset: data.upstream.dataset,
        tokens: tokensNeeded(scale, "upstream"),
        validation: data.upstream.validation,
      },
      downstream: { dataset: data.downstream.dataset, tokens: tokensNeeded(scale, "downstream") },
      tokenizer: TOKENIZERS[data.tokenizer],
      hubCache,
    },
    samples,
    weights: isPaper ? { downstream: slimPajamaWeights(data.downstream.leftOut) } : undefined,
    domainTokens: isPaper ? { downstream: slimPajamaTokens(scale) } : undefined,
  };
}

/** Where a scale's data are found, and where what is prepared of them is kept. */
export interface CorpusPlaces extends Pick<CorpusOptions, "onProgress"> {
  /** in place of the scale's own data */
  readonly corpusFiles?: CorpusFiles;
  /** names of the mixes that runs are trained on */
  readonly mixes?: readonly string[];
  /** paths of the files that make a mix, by its name */
  readonly mixFiles?: CorpusOptions["mixFiles"];
  /** the lockfile that data are checked against; the project's own if absent */
  readonly lockFile?: string;
  /** folder of downloads; `.cache/hub` if absent */
  readonly hubCache?: string;
  /** folder of prepared corpora; `.cache/data` if absent */
  readonly dataCache?: string;
}

/**
 * The options by which a scale's corpora are opened or described, whether to plan, to train or to retrain.
 *
 * @param model whose windows and ids the corpora must have; the scale's if absent
 */
export function corpusOptions(
  scale: Scale,
  { corpusFiles, mixes, mixFiles, lockFile, hubCache, dataCache, onProgress }: CorpusPlaces,
  model: Pick<ModelConfig, "sequenceLength" | "vocabularySize"> = scale.model.config,
): CorpusOptions {
  const { sequenceLength, vocabularySize } = model;
  return {
    ...scaleCorpora(scale, corpusFiles, hubCache),
    sequenceLength,
    vocabularySize,
    mixes,
    mixFiles,
    lockFile,
    cacheFolder: dataCache,
    onProgress,
  };
}
