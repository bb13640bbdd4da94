/** The embedded corpora's ingredients: text of npm packages, mixed. */
import type { CorpusName } from "../../experiment/run.ts";
import { VALIDATION_ONE_IN } from "../domain.ts";
import { corpusDigests, type Ingredients, type Settings } from "../text_ingredients.ts";
import { CUTTING_RULE } from "../text/document_cutter.ts";
import { utf8Bytes } from "../../text/utf8.ts";
import { mixEmbedded, UPSTREAM_QUARTERS } from "./mix.ts";
import { EMBEDDED_PACKAGES, type PackageFiles, readPackage } from "./npm_source.ts";

/**
 * Reads the packages' text, and deals its documents out to the two corpora.
 *
 * @throws {UserError} as {@linkcode readPackage} throws
 */
export async function embeddedIngredients(
  settings: Settings,
): Promise<Record<CorpusName, Ingredients>> {
  const { lock, tokenizer, dataSeed } = settings;
  const packages: PackageFiles[] = [];
  for (const text of EMBEDDED_PACKAGES) {
    packages.push(await readPackage(text, lock));
  }
  const mixed = await mixEmbedded(packages, dataSeed);
  const sources = packages.map(({ package: name, version, bytes, sha256 }) => ({
    name: `${name}@${version}`,
    bytes,
    sha256,
  }));
  const assemble = (name: CorpusName): Ingredients => {
    const documents = mixed[name];
    const source = {
      kind: "npm",
      part: name,
      upstreamQuarters: UPSTREAM_QUARTERS,
      cutting: CUTTING_RULE,
      packages: packages.map(({ domain, sha256 }) => ({ domain, sha256 })),
    };
    const [preparedDigest, digest] = corpusDigests(name, source, {
      validationOneIn: VALIDATION_ONE_IN,
    }, settings);
    const sizes = {
      bytes: { train: 0, validation: 0 },
      documents: { train: 0, validation: 0 },
    };
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
      sources,
      expected: { exact: tokenizer.bytesPerToken === 1, ...sizes },
      sourceBytes: sizes.bytes.train + sizes.bytes.validation,
      *documents(onBytes) {
        for (const document of documents) {
          onBytes(utf8Bytes(document.text));
          yield document;
        }
      },
    };
  };
  return { upstream: assemble("upstream"), downstream: assemble("downstream") };
}
