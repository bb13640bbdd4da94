/** A corpus of embedded text: documents that were dealt out, with digests and counts. */
import type { Json } from "../../digest/canonical_json.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { utf8Bytes } from "../../text/utf8.ts";
import { type SourceDocument, VALIDATION_ONE_IN } from "../domain.ts";
import type { DomainWeights } from "../options.ts";
import { corpusDigests, type Ingredients, type Settings } from "../text_ingredients.ts";
import type { PackageFiles } from "./npm_source.ts";

/**
 * The ingredients of a corpus.
 *
 * @param packages whose text the documents are
 * @param source what the documents are, by digests
 * @param weights of the families; their shares of the tokens if not given
 */
export function embeddedCorpus(
  name: CorpusName,
  packages: readonly PackageFiles[],
  documents: readonly SourceDocument[],
  settings: Settings,
  source: Json,
  weights?: DomainWeights,
): Ingredients {
  const { tokenizer, dataSeed } = settings;
  const split = { validationOneIn: VALIDATION_ONE_IN };
  const [preparedDigest, digest] = corpusDigests(name, source, split, settings, weights);
  const sizes = { bytes: { train: 0, validation: 0 }, documents: { train: 0, validation: 0 } };
  for (const { split, text } of documents) {
    sizes.bytes[split] += utf8Bytes(text);
    sizes.documents[split]++;
  }
  return {
    name,
    tokenizer,
    dataSeed,
    preparedDigest,
    digest,
    sources: packages.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    weights,
    expected: { exact: tokenizer.bytesPerToken === 1, ...sizes },
    sourceBytes: sizes.bytes.train + sizes.bytes.validation,
    *documents(onBytes) {
      for (const document of documents) {
        onBytes(utf8Bytes(document.text));
        yield document;
      }
    },
  };
}
