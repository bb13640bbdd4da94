/** The validation windows of one corpus: a sample that every evaluation reads, and the whole set for landmarks. */
import type { Corpus } from "../data/corpus.ts";
import type { Session } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import type { EvaluationSpecification } from "../experiment/run.ts";
import type { DocumentLoss, ValidationSet } from "../results/curves.ts";
import { MAX_CURVES_LENGTH } from "../results/curves_schema.ts";
import { meanLoss } from "./mean_loss.ts";

/** Most documents of a corpus: with these, a run's curve and its journal's lines stay within their limits. */
const MAX_DOCUMENTS = Math.floor(MAX_CURVES_LENGTH / 1024);

/** What one reading of the sample gives. */
export interface SampleLosses {
  /** of all its windows, nats a token */
  readonly mean: number;
  /** in the order of the set; null for a domain without a window */
  readonly domains: readonly (number | null)[];
}

/** See above. */
export class CorpusValidation {
  /** which domains and documents losses are kept of; undefined where they are not kept */
  readonly set?: ValidationSet;

  private constructor(
    private readonly sampled: { readonly tokens: Uint16Array; readonly domains: readonly string[] },
    private readonly whole?: {
      readonly tokens: Uint16Array;
      readonly set: ValidationSet;
      /** place of each window's document in the set */
      readonly places: readonly number[];
    },
  ) {
    if (whole !== undefined) this.set = whole.set;
  }

  /** @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS`, `TOO_MANY_DOCUMENTS` */
  static async load(
    corpus: Corpus,
    { windows, landmarkWindows }: Pick<EvaluationSpecification, "windows" | "landmarkWindows">,
  ): Promise<CorpusValidation> {
    const sample = await corpus.validationWindows(windows);
    if (landmarkWindows === undefined) return new CorpusValidation(sample);
    const { tokens, sequences, domains, documents } = await corpus.wholeValidation(landmarkWindows);
    const names = [...new Set([...sample.domains, ...domains])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const places: number[] = [];
    const found: { domain: number; tokens: number }[] = [];
    const known = new Map<string, number>();
    for (let window = 0; window < sequences; window++) {
      const domain = names.indexOf(domains[window] ?? "");
      const name = `${domain} ${documents[window]}`;
      const place = known.get(name) ?? found.push({ domain, tokens: 0 }) - 1;
      known.set(name, place);
      const document = found[place];
      if (document !== undefined) document.tokens += tokens.length / sequences - 1;
      places.push(place);
    }
    if (found.length > MAX_DOCUMENTS) {
      throw new UserError(
        "TOO_MANY_DOCUMENTS",
        `The ${landmarkWindows} validation windows of the ${corpus.name} corpus begin in ${found.length} documents, and ` +
          `losses are kept of ${MAX_DOCUMENTS} at most`,
        "state fewer landmarkWindows in the scale",
      );
    }
    const set = { domains: weightsOf(corpus, names, sample.domains), documents: found };
    return new CorpusValidation(sample, { tokens, set, places });
  }

  /** @param sequenceLength tokens of a window that are predicted */
  async sample(session: Pick<Session, "evaluate">, sequenceLength: number): Promise<SampleLosses> {
    const { tokens, domains } = this.sampled;
    const sums = await session.evaluate(tokens);
    const means = (this.set?.domains ?? []).map(({ name }) => {
      const own = sums.filter((_, window) => domains[window] === name);
      return own.length === 0 ? null : meanLoss(own, sequenceLength);
    });
    return { mean: meanLoss(sums, sequenceLength), domains: means };
  }

  /** Losses of the whole set by document: the engine's f32 sums of the windows, added in doubles in their order. */
  async documents(session: Pick<Session, "evaluate">): Promise<readonly DocumentLoss[]> {
    if (this.whole === undefined) throw new Error("Losses by document are not kept");
    const { tokens, set: { documents = [] }, places } = this.whole;
    const losses = documents.map((document) => ({ tokens: document.tokens, loss: 0 }));
    for (const [window, sum] of (await session.evaluate(tokens)).entries()) {
      const document = losses[places[window] ?? 0];
      if (document !== undefined) document.loss += sum;
    }
    return losses;
  }
}

/** The weights that are trained with; of a validation set with other domains than training has, those of its sample. */
function weightsOf(
  { summary }: Corpus,
  names: readonly string[],
  sampled: readonly string[],
): ValidationSet["domains"] {
  const trained = new Map(Object.entries(summary.domains));
  const isTrained = names.every((name) => trained.has(name));
  const weight = (name: string) =>
    isTrained ? trained.get(name) ?? 0 : sampled.filter((domain) => domain === name).length;
  const total = names.reduce((sum, name) => sum + weight(name), 0);
  return names.map((name) => ({ name, weight: weight(name) / total }));
}
