/** Losses by document as the jackknife reads them: of a point, of all documents or of all but a group. */
import type { CurvePoint, Curves, ValidationSet } from "../curves.ts";
import { type DocumentLosses, documentLosses } from "../document_losses.ts";
import type { Metric } from "../rules/parts.ts";
import { groupCount, groupOf } from "../statistics/jackknife.ts";

/** The documents that losses are read of: all of the validation set, or those that every evaluation samples. */
export type DocumentChoice = "documents" | "sampledDocuments";

/** Losses of a point by document. */
export interface Sums {
  /** what tells this text from another */
  readonly text: string;
  /** of documents */
  readonly count: number;
  /** Nats a token of all groups, or of all but one. */
  mean(without?: number): number;
  /** The same by domain; null for a domain without a document. */
  domains(without?: number): (number | null)[];
}

/** Those of a point; undefined where it keeps none. */
export function sumsOf(curves: Curves, point: CurvePoint, metric: Metric, choice: DocumentChoice): Sums | undefined {
  return choice === "documents" ? wholeSumsOf(curves, point, metric) : sampledSumsOf(curves, point, metric);
}

/** Losses of all documents, summed by domain and by the groups that are left out together. */
class WholeSums implements Sums {
  /** domains and tokens of the documents */
  readonly text: string;
  readonly count: number;
  readonly #weights: readonly number[];
  readonly #losses: readonly Float64Array[];
  readonly #tokens: readonly Float64Array[];

  constructor({ domains, documents }: DocumentLosses) {
    this.count = documents.length;
    this.text = documents.map(({ domain, tokens }) => `${domain}:${tokens}`).join(" ");
    this.#weights = domains.map(({ weight }) => weight);
    const groups = groupCount(documents.length);
    this.#losses = domains.map(() => new Float64Array(groups));
    this.#tokens = domains.map(() => new Float64Array(groups));
    documents.forEach(({ domain, tokens, loss }, index) => {
      const group = groupOf(index, documents.length);
      const losses = this.#losses[domain], counts = this.#tokens[domain];
      if (losses === undefined || counts === undefined) throw new Error(`Document ${index} of no domain`);
      losses[group] = (losses[group] ?? 0) + loss;
      counts[group] = (counts[group] ?? 0) + tokens;
    });
  }

  /** Nats a token, weighed as `wholeLoss` does, of all groups or of all but one. */
  mean(without?: number): number {
    let sum = 0;
    let weights = 0;
    this.domains(without).forEach((loss, domain) => {
      if (loss === null) return;
      const weight = this.#weights[domain] ?? NaN;
      sum += weight * loss;
      weights += weight;
    });
    return sum / weights;
  }

  /** Nats a token by domain, of all groups or of all but one; null for a domain without a document. */
  domains(without?: number): (number | null)[] {
    return this.#losses.map((losses, domain) => {
      let loss = 0;
      let tokens = 0;
      losses.forEach((value, group) => {
        if (group === without) return;
        loss += value;
        tokens += this.#tokens[domain]?.[group] ?? NaN;
      });
      return tokens === 0 ? null : loss / tokens;
    });
  }
}

/** Kept by the list of a point's losses, which every claim that reads the point shares. */
const WHOLE_SUMS = new WeakMap<object, WholeSums>();

function wholeSumsOf(curves: Curves, point: CurvePoint, metric: Metric): Sums | undefined {
  const key = point.documents?.[metric];
  if (key === undefined) return undefined;
  const known = WHOLE_SUMS.get(key);
  if (known !== undefined) return known;
  const losses = documentLosses(curves, point, metric);
  if (losses === undefined) return undefined;
  const sums = new WholeSums(losses);
  WHOLE_SUMS.set(key, sums);
  return sums;
}

/** What the points of a curve share: the sampled documents, and what of them is computed once. */
class SampledSet {
  readonly documents: NonNullable<ValidationSet["sampledDocuments"]>;
  /** domains, numbers and tokens of the documents */
  readonly text: string;
  /** by the groups that are left out together */
  readonly tokens: Float64Array;

  constructor({ domains, sampledDocuments = [] }: ValidationSet, readonly domainCount = domains.length) {
    this.documents = sampledDocuments;
    this.text = sampledDocuments.map(({ domain, document, tokens }) => `${domains[domain]?.name}:${document}:${tokens}`)
      .join(" ");
    this.tokens = byGroup(sampledDocuments.map(({ tokens }) => tokens));
  }
}

/** Sums by the groups that are left out together. */
function byGroup(values: readonly number[]): Float64Array {
  const sums = new Float64Array(groupCount(values.length));
  values.forEach((value, index) => {
    const group = groupOf(index, values.length);
    sums[group] = (sums[group] ?? 0) + value;
  });
  return sums;
}

/** Losses of the sampled documents. Domains count as much as the sample has of them, as in the point's own mean. */
class SampledSums implements Sums {
  readonly #groups: Float64Array;

  constructor(private readonly set: SampledSet, private readonly losses: readonly number[]) {
    this.#groups = byGroup(losses);
  }

  get text(): string {
    return this.set.text;
  }

  get count(): number {
    return this.set.documents.length;
  }

  mean(without?: number): number {
    let loss = 0;
    let tokens = 0;
    this.#groups.forEach((value, group) => {
      if (group === without) return;
      loss += value;
      tokens += this.set.tokens[group] ?? NaN;
    });
    return loss / tokens;
  }

  domains(without?: number): (number | null)[] {
    const sums = Array.from({ length: this.set.domainCount }, () => ({ loss: 0, tokens: 0 }));
    this.set.documents.forEach(({ domain, tokens }, index) => {
      const sum = sums[domain];
      if (sum === undefined) throw new Error(`Sampled document ${index} of no domain`);
      if (groupOf(index, this.count) === without) return;
      sum.loss += this.losses[index] ?? NaN;
      sum.tokens += tokens;
    });
    return sums.map(({ loss, tokens }) => tokens === 0 ? null : loss / tokens);
  }
}

/** Kept by the set, and by the list of a point's losses. */
const SAMPLED_SETS = new WeakMap<object, SampledSet>();
const SAMPLED_SUMS = new WeakMap<object, SampledSums>();

function sampledSumsOf({ validation }: Curves, point: CurvePoint, metric: Metric): Sums | undefined {
  const set = validation?.[metric];
  const losses = point.sampledDocuments?.[metric];
  if (set?.sampledDocuments === undefined || losses === undefined) return undefined;
  const known = SAMPLED_SUMS.get(losses);
  if (known !== undefined) return known;
  const sampled = SAMPLED_SETS.get(set) ?? new SampledSet(set);
  SAMPLED_SETS.set(set, sampled);
  const sums = new SampledSums(sampled, losses);
  SAMPLED_SUMS.set(losses, sums);
  return sums;
}
