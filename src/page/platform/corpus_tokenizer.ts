/** Which tokenizer a source of text comes with in a page: takes the place of `src/data/corpus_tokenizer.ts`. */
import type { CorpusSource } from "../../data/options.ts";
import { notInAPage } from "./not_in_a_page.ts";

/**
 * Path of the `tokenizer.json` that the reader gave; undefined where bytes are tokens.
 *
 * @throws {UserError} `NOT_IN_A_PAGE` for tokenizers of a hub
 */
export function corpusTokenizer(source: CorpusSource): Promise<string | undefined> {
  return Promise.resolve().then(() => {
    switch (source.kind) {
      case "huggingface":
        throw notInAPage(`The tokenizer is that of "${source.tokenizer}" on a hub`);
      case "files":
        return source.tokenizer === "bytes" ? undefined : source.tokenizer;
      default:
        return undefined;
    }
  });
}
