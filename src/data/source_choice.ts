/** Which kind of source each corpus has, chosen once, by what the options name. */
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import type { CorpusSource } from "./corpus_source.ts";
import { corpusTokenizer } from "./corpus_tokenizer.ts";
import { readDataLock } from "./data_lock.ts";
import { embeddedIngredients } from "./embedded/embedded_sources.ts";
import { areMegatronFiles, megatronIngredients } from "./gpt_neox/megatron_ingredients.ts";
import { megatronSource } from "./gpt_neox/megatron_source.ts";
import { hubSource } from "./hub/hub_sources.ts";
import { openTokenizer } from "./open_tokenizer.ts";
import { type CorpusOptions, DEFAULT_DATA_SEED } from "./options.ts";
import { textSource } from "./prepared/text_source.ts";
import { fileIngredients } from "./text/file_sources.ts";
import type { Settings } from "./text_ingredients.ts";

/** Something for each of the two corpora. */
export type ForBoth<T> = Readonly<Record<CorpusName, T>>;

/**
 * The sources of both corpora, their digests held against the lockfile.
 *
 * @throws {UserError} for sources that are missing, unreadable or not the pinned ones
 */
export async function chooseSources(options: CorpusOptions): Promise<ForBoth<CorpusSource>> {
  const { source } = options;
  const settings = await settingsOf(options);
  switch (source.kind) {
    case "npm": {
      const { upstream, downstream } = await embeddedIngredients(settings);
      return { upstream: textSource(upstream), downstream: textSource(downstream) };
    }
    case "huggingface":
      return {
        upstream: await hubSource("upstream", source, settings),
        downstream: await hubSource("downstream", source, settings),
      };
    case "files": {
      const ofFiles = async (name: CorpusName) =>
        areMegatronFiles(name, source[name])
          ? megatronSource(await megatronIngredients(name, source[name], settings))
          : textSource(await fileIngredients(name, source[name], settings));
      return { upstream: await ofFiles("upstream"), downstream: await ofFiles("downstream") };
    }
  }
}

async function settingsOf(options: CorpusOptions): Promise<Settings> {
  const { source, sequenceLength, dataSeed = DEFAULT_DATA_SEED } = options;
  if (!Number.isSafeInteger(dataSeed) || dataSeed < 0) {
    throw new UserError("INVALID_DATA_SEED", `Data seed ${dataSeed} is no whole number from 0 to 2^53 − 1`);
  }
  if (!Number.isSafeInteger(sequenceLength) || sequenceLength < 1) {
    throw new UserError("INVALID_SEQUENCE_LENGTH", `Sequence length ${sequenceLength} is no whole number above 0`);
  }
  const lock = await readDataLock(options.lockFile);
  const tokenizer = await openTokenizer(await corpusTokenizer(source, lock), lock, options.vocabularySize);
  return { options, tokenizer, dataSeed, lock };
}
