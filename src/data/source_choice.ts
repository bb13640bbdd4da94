/** Which kind of source each corpus has, chosen once, by what the options name. */
import { UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { CorpusSource } from "./corpus_source.ts";
import { corpusTokenizer } from "./corpus_tokenizer.ts";
import { readDataLock } from "./data_lock.ts";
import { EmbeddedMixes } from "./embedded/mixes.ts";
import { quarteredIngredients } from "./embedded/quarters.ts";
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

/** Something for each of the two corpora, and for mixes that stand for downstream, by their names. */
export interface ForAll<T> extends ForBoth<T> {
  readonly mixes: Readonly<Record<string, T>>;
}

/**
 * The sources of both corpora and of the mixes that are asked for, their digests checked against the lockfile.
 *
 * @throws {UserError} for sources that are missing, unreadable or not the pinned ones
 */
export async function chooseSources(options: CorpusOptions): Promise<ForAll<CorpusSource>> {
  const settings = await settingsOf(options);
  const { source } = options;
  // One for all corpora: it reads each package once.
  const embedded = source.kind === "embedded" ? new EmbeddedMixes(source, settings) : undefined;
  const both = embedded === undefined ? await bothSources(settings) : {
    upstream: textSource(await embedded.upstream()),
    downstream: textSource(await embedded.downstream()),
  };
  const mixes: Record<string, CorpusSource> = {};
  for (const mix of options.mixes ?? []) mixes[mix] = await mixSource(mix, settings, embedded);
  return { ...both, mixes };
}

/** A mix: of the user's files where there are such, else the source's own. */
async function mixSource(mix: string, settings: Settings, embedded: EmbeddedMixes | undefined): Promise<CorpusSource> {
  const { mixFiles = {} } = settings.options;
  const paths = Object.hasOwn(mixFiles, mix) ? mixFiles[mix] : undefined;
  if (paths !== undefined) return await filesSource("downstream", paths, settings);
  const ingredients = await embedded?.mix(mix);
  if (ingredients !== undefined) return textSource(ingredients);
  throw new UserError(
    "MIX_NOT_GIVEN",
    `The mix "${mix}" is made of files of your own, and none are given`,
    `give them with --mix ${mix}=PATH, or leave the arms that use it out with --only`,
  );
}

async function filesSource(name: CorpusName, paths: readonly string[], settings: Settings): Promise<CorpusSource> {
  return areMegatronFiles(name, paths)
    ? megatronSource(await megatronIngredients(name, paths, settings))
    : textSource(await fileIngredients(name, paths, settings));
}

async function bothSources(settings: Settings): Promise<ForBoth<CorpusSource>> {
  const { source } = settings.options;
  switch (source.kind) {
    case "npm": {
      const { upstream, downstream } = await quarteredIngredients(settings);
      return { upstream: textSource(upstream), downstream: textSource(downstream) };
    }
    case "embedded":
      throw new Error("Embedded text is opened with its mixes");
    case "huggingface":
      return {
        upstream: await hubSource("upstream", source, settings),
        downstream: await hubSource("downstream", source, settings),
      };
    case "files":
      return {
        upstream: await filesSource("upstream", source.upstream, settings),
        downstream: await filesSource("downstream", source.downstream, settings),
      };
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
