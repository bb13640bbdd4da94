/** Losses by document as the jackknife reads them: of a point, of all documents or of all but a group. */
import type { CurvePoint, Curves } from "../curves.ts";
import { type DocumentLosses, documentLosses } from "../document_losses.ts";
import type { Metric } from "../rules/parts.ts";
import { groupCount, groupOf } from "../statistics/jackknife.ts";

/** Losses of a point's documents, summed by domain and by the groups that are left out together. */
export class Sums {
  /** what tells this text from another: domains and tokens of the documents */
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
const SUMS = new WeakMap<object, Sums>();

/** Those of a point; undefined where it keeps none. */
export function sumsOf(curves: Curves, point: CurvePoint, metric: Metric): Sums | undefined {
  const key = point.documents?.[metric];
  if (key === undefined) return undefined;
  const known = SUMS.get(key);
  if (known !== undefined) return known;
  const losses = documentLosses(curves, point, metric);
  if (losses === undefined) return undefined;
  const sums = new Sums(losses);
  SUMS.set(key, sums);
  return sums;
}
