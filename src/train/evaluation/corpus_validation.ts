/** The validation windows of one corpus: a sample that every evaluation reads, and the whole set for landmarks. */
import type { Corpus, ValidationWindows } from "../../data/corpus.ts";
import type { Session } from "../../engine/engine.ts";
import { UserError } from "../../errors.ts";
import type { EvaluationSpecification } from "../../experiment/run/run.ts";
import type { DocumentLoss, ValidationSet } from "../../results/curves.ts";
import { MAX_CURVES_LENGTH } from "../../results/curves_schema.ts";
import { type SampleMeans, sampleMeans } from "../../results/document_losses.ts";
import { meanLoss } from "./mean_loss.ts";

/** Most documents of a corpus: with these, a run's curve and its journal's lines stay within their limits. */
const MAX_DOCUMENTS = Math.floor(MAX_CURVES_LENGTH / 1024);

/** What one reading of the sample gives. */
export interface SampleLosses extends SampleMeans {
  /** sums of the losses of the set's sampled documents, nats; none where losses are not kept by document */
  readonly documents: readonly number[];
}

/** Windows and the place of each one's document in the set. */
interface PlacedWindows {
  readonly tokens: Uint16Array;
  readonly places: readonly number[];
}

/** What is kept besides the mean. */
interface KeptLosses {
  readonly set: ValidationSet;
  /** of the sampled windows, in `sampledDocuments` */
  readonly sampled: readonly number[];
  /** of all windows, in `documents` */
  readonly whole: PlacedWindows;
}

/** See above. */
export class CorpusValidation {
  private constructor(private readonly sampled: Uint16Array, private readonly kept?: KeptLosses) {}

  /** Which domains and documents losses are kept of; undefined where they are not kept. */
  get set(): ValidationSet | undefined {
    return this.kept?.set;
  }

  /** @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS`, `TOO_MANY_DOCUMENTS` */
  static async load(
    corpus: Corpus,
    { windows, landmarkWindows }: Pick<EvaluationSpecification, "windows" | "landmarkWindows">,
  ): Promise<CorpusValidation> {
    const sample = await corpus.validationWindows(windows);
    if (landmarkWindows === undefined) return new CorpusValidation(sample.tokens);
    const all = await corpus.wholeValidation(landmarkWindows);
    const names = [...new Set([...sample.domains, ...all.domains])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const sampled = documentsOf(sample, names);
    sampled.documents.sort((a, b) => a.domain - b.domain || a.document - b.document);
    const whole = documentsOf(all, names);
    requireFew(corpus, `${windows} sampled`, sampled.documents.length, "evaluationWindows");
    requireFew(corpus, `${landmarkWindows}`, whole.documents.length, "landmarkWindows");
    const set: ValidationSet = {
      domains: weightsOf(corpus, names, sample.domains),
      sampledDocuments: sampled.documents.map(({ domain, document, tokens }) => ({ domain, document, tokens })),
      documents: whole.documents.map(({ domain, tokens }) => ({ domain, tokens })),
    };
    return new CorpusValidation(sample.tokens, {
      set,
      sampled: placesIn(sampled),
      whole: { tokens: all.tokens, places: placesIn(whole) },
    });
  }

  /**
   * Losses of the sample. Those of a document are the engine's f32 sums of its windows, added in doubles in their order;
   * where they are kept, the means are made from these sums.
   *
   * @param sequenceLength tokens of a window that are predicted
   */
  async sample(session: Pick<Session, "evaluate">, sequenceLength: number): Promise<SampleLosses> {
    const sums = await session.evaluate(this.sampled);
    if (this.kept === undefined) return { mean: meanLoss(sums, sequenceLength), domains: [], documents: [] };
    const { set, sampled } = this.kept;
    const documents = sumsByPlace(sums, sampled, set.sampledDocuments?.length ?? 0);
    return { ...sampleMeans(set, documents), documents };
  }

  /** Losses of the whole set by document: the engine's f32 sums of the windows, added in doubles in their order. */
  async documents(session: Pick<Session, "evaluate">): Promise<readonly DocumentLoss[]> {
    if (this.kept === undefined) throw new Error("Losses by document are not kept");
    const { whole, set: { documents = [] } } = this.kept;
    const sums = sumsByPlace(await session.evaluate(whole.tokens), whole.places, documents.length);
    return documents.map(({ tokens }, place) => ({ tokens, loss: sums[place] ?? NaN }));
  }
}

/** A document that windows begin in. */
interface FoundDocument {
  readonly domain: number;
  readonly document: number;
  /** predicted in these windows */
  tokens: number;
}

/** The documents that windows begin in, in the order of the windows, and the one of each window. */
interface FoundDocuments {
  readonly documents: FoundDocument[];
  readonly ofWindows: readonly FoundDocument[];
}

/** @param names of all domains, in the order of their losses */
function documentsOf(
  { tokens, sequences, domains, documents }: ValidationWindows,
  names: readonly string[],
): FoundDocuments {
  const predicted = tokens.length / sequences - 1;
  const known = new Map<string, FoundDocument>();
  const ofWindows = Array.from({ length: sequences }, (_, window) => {
    const domain = names.indexOf(domains[window] ?? "");
    const document = documents[window] ?? NaN;
    const name = `${domain} ${document}`;
    const found = known.get(name) ?? { domain, document, tokens: 0 };
    known.set(name, found);
    found.tokens += predicted;
    return found;
  });
  return { documents: [...known.values()], ofWindows };
}

/** Place of each window's document. */
function placesIn({ documents, ofWindows }: FoundDocuments): number[] {
  const places = new Map(documents.map((document, place) => [document, place]));
  return ofWindows.map((document) => places.get(document) ?? NaN);
}

function sumsByPlace(sums: Iterable<number>, places: readonly number[], count: number): number[] {
  const byPlace = new Array<number>(count).fill(0);
  let window = 0;
  for (const sum of sums) {
    const place = places[window++] ?? NaN;
    byPlace[place] = (byPlace[place] ?? NaN) + sum;
  }
  return byPlace;
}

function requireFew({ name }: Corpus, windows: string, documents: number, member: string): void {
  if (documents <= MAX_DOCUMENTS) return;
  throw new UserError(
    "TOO_MANY_DOCUMENTS",
    `The ${windows} validation windows of the ${name} corpus begin in ${documents} documents, and losses are kept of ` +
      `${MAX_DOCUMENTS} at most`,
    `state fewer ${member} in the scale`,
  );
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
