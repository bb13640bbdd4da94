/** Which corpora a page can open: takes the place of `src/data/source_choice.ts`. */
import { readDataLock } from "../../data/data_lock.ts";
import { embeddedIngredients } from "../../data/embedded/embedded_sources.ts";
import { openTokenizer } from "../../data/open_tokenizer.ts";
import { type CorpusOptions, DEFAULT_DATA_SEED } from "../../data/options.ts";
import { textSource } from "../../data/prepared/text_source.ts";
import type { CorpusSource } from "../../data/corpus_source.ts";
import type { ForBoth } from "../../data/source_choice.ts";
import { fileIngredients } from "../../data/text/file_sources.ts";
import type { Settings } from "../../data/text_ingredients.ts";
import { notInAPage } from "./not_in_a_page.ts";

/**
 * The sources of both corpora: the embedded packages, or files that the reader gave.
 *
 * @throws {UserError} `NOT_IN_A_PAGE` for datasets of a hub; as the original throws
 */
export async function chooseSources(options: CorpusOptions): Promise<ForBoth<CorpusSource>> {
  const { source, dataSeed = DEFAULT_DATA_SEED } = options;
  if (source.kind === "huggingface") {
    throw notInAPage(
      `The corpora are datasets of a hub, "${source.upstream.dataset}" and "${source.downstream.dataset}"`,
    );
  }
  const lock = await readDataLock();
  const path = source.kind === "npm" || source.tokenizer === "bytes" ? undefined : source.tokenizer;
  const tokenizer = await openTokenizer(path, lock, options.vocabularySize);
  const settings: Settings = { options, tokenizer, dataSeed, lock };
  if (source.kind === "npm") {
    const { upstream, downstream } = await embeddedIngredients(settings);
    return { upstream: textSource(upstream), downstream: textSource(downstream) };
  }
  return {
    upstream: textSource(await fileIngredients("upstream", source.upstream, settings)),
    downstream: textSource(await fileIngredients("downstream", source.downstream, settings)),
  };
}
