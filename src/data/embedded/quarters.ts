/** The embedded corpora's ingredients as versions up to 0.3 have them: text of two npm packages, mixed 3 : 1 and 1 : 3. */
import type { CorpusName } from "../../experiment/run/run.ts";
import type { Ingredients, Settings } from "../text_ingredients.ts";
import { CUTTING_RULE } from "../text/document_cutter.ts";
import { embeddedCorpus } from "./embedded_corpus.ts";
import { mixEmbedded, UPSTREAM_QUARTERS } from "./mix.ts";
import { FAMILIES } from "./families.ts";
import { type PackageFiles, readPackage } from "./npm_source.ts";

/**
 * Reads the packages' text, and deals its documents out to the two corpora.
 *
 * @throws {UserError} as {@linkcode readPackage} throws
 */
export async function quarteredIngredients(
  settings: Settings,
): Promise<Record<CorpusName, Ingredients>> {
  const { lock, dataSeed } = settings;
  const packages: PackageFiles[] = [];
  for (const text of [FAMILIES.typescript, FAMILIES.node]) {
    packages.push(await readPackage(text, lock));
  }
  const mixed = await mixEmbedded(packages, UPSTREAM_QUARTERS, dataSeed);
  const assemble = (name: CorpusName): Ingredients =>
    embeddedCorpus(name, packages, mixed[name], settings, {
      kind: "npm",
      part: name,
      upstreamQuarters: UPSTREAM_QUARTERS,
      cutting: CUTTING_RULE,
      packages: packages.map(({ domain, sha256 }) => ({ domain, sha256 })),
    });
  return { upstream: assemble("upstream"), downstream: assemble("downstream") };
}
