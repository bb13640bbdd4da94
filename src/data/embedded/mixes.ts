/**
 * Corpora by weights of families. Of each family that upstream has, a quarter of the documents is kept for downstream, so
 * that a mix may overlap with upstream in kind without a common document, and so that upstream is the same whatever
 * downstream is.
 */
import type { CorpusName } from "../../experiment/run/run.ts";
import { suggest, UserError } from "../../errors.ts";
import type { SourceDocument } from "../domain.ts";
import type { CorpusSource, DomainWeights } from "../options.ts";
import { CUTTING_RULE } from "../text/document_cutter.ts";
import type { Ingredients, Settings } from "../text_ingredients.ts";
import { embeddedCorpus } from "./embedded_corpus.ts";
import { FAMILIES, FAMILY_NAMES, type FamilyName } from "./families.ts";
import { mixEmbedded, type UpstreamQuarters } from "./mix.ts";
import { type PackageFiles, readPackage } from "./npm_source.ts";

/** Of a family that upstream has. */
export const UPSTREAM_QUARTERS = 3;

/** Corpora of embedded text; each family is read and dealt out once, when it is first needed. */
export class EmbeddedMixes {
  readonly #settings: Settings;
  readonly #source: Extract<CorpusSource, { kind: "embedded" }>;
  readonly #families = new Map<FamilyName, Promise<DealtFamily>>();

  constructor(source: Extract<CorpusSource, { kind: "embedded" }>, settings: Settings) {
    this.#source = source;
    this.#settings = settings;
  }

  /**
   * The corpus before the shift.
   *
   * @throws {UserError} `UNKNOWN_FAMILY`; as {@linkcode readPackage} throws
   */
  upstream(): Promise<Ingredients> {
    return this.#corpus("upstream", this.#source.upstream);
  }

  /** The corpus after it; throws as {@linkcode upstream} does. */
  downstream(): Promise<Ingredients> {
    return this.#corpus("downstream", this.#source.downstream);
  }

  /** The mix of a name; undefined if the source has none. Throws as {@linkcode upstream} does. */
  async mix(mix: string): Promise<Ingredients | undefined> {
    const weights = Object.hasOwn(this.#source.mixes, mix) ? this.#source.mixes[mix] : undefined;
    return weights === undefined ? undefined : await this.#corpus("downstream", weights);
  }

  /** @param name which side of the families it is made of */
  async #corpus(name: CorpusName, weights: DomainWeights): Promise<Ingredients> {
    const names = Object.keys(weights).map(familyName).sort();
    const dealt: DealtFamily[] = [];
    for (const family of names) dealt.push(await this.#family(family));
    const source = {
      kind: "embedded",
      part: name,
      cutting: CUTTING_RULE,
      families: dealt.map(({ files: { domain, sha256, readAs = null }, quarters }) => ({
        domain,
        sha256,
        readAs,
        upstreamQuarters: quarters,
      })),
    };
    const documents = dealt.flatMap((family) => family[name]);
    return embeddedCorpus(name, dealt.map(({ files }) => files), documents, this.#settings, source, weights);
  }

  #family(family: FamilyName): Promise<DealtFamily> {
    const known = this.#families.get(family) ?? this.#deal(family);
    this.#families.set(family, known);
    return known;
  }

  async #deal(family: FamilyName): Promise<DealtFamily> {
    const { lock, dataSeed } = this.#settings;
    const files = await readPackage(FAMILIES[family], lock);
    const quarters = Object.hasOwn(this.#source.upstream, family) ? UPSTREAM_QUARTERS : 0;
    const shares: UpstreamQuarters = { [family]: quarters };
    return { files, quarters, ...await mixEmbedded([files], shares, dataSeed) };
  }
}

interface DealtFamily extends Readonly<Record<CorpusName, readonly SourceDocument[]>> {
  readonly files: PackageFiles;
  readonly quarters: number;
}

function familyName(text: string): FamilyName {
  const name = FAMILY_NAMES.find((known) => known === text);
  if (name !== undefined) return name;
  throw new UserError("UNKNOWN_FAMILY", `Unknown family of text "${text}"`, suggest(text, FAMILY_NAMES));
}
