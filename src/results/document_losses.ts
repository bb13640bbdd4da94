/** The means that losses by document make: of the sample at every evaluation, of the whole validation set at landmarks. */
import type { CurvePoint, Curves, DocumentLoss, PerCorpus, ValidationSet } from "./curves.ts";

/** Mean losses of a sample, nats a token. */
export interface SampleMeans {
  /** of all its windows */
  readonly mean: number;
  /** in the order of the set; null for a domain without a window */
  readonly domains: readonly (number | null)[];
}

/**
 * Mean losses of the sampled windows of a corpus. Sums are added in doubles in their order, so that whoever has them gets
 * the means to the last bit.
 *
 * @param sums of the losses of the set's sampled documents, nats
 */
export function sampleMeans(
  { domains, sampledDocuments = [] }: ValidationSet,
  sums: readonly number[],
): SampleMeans {
  const own = domains.map(() => ({ loss: 0, tokens: 0 }));
  const all = { loss: 0, tokens: 0 };
  sampledDocuments.forEach(({ domain, tokens }, index) => {
    for (const sum of [all, own[domain]]) {
      if (sum === undefined) continue;
      sum.loss += sums[index] ?? NaN;
      sum.tokens += tokens;
    }
  });
  return { mean: all.loss / all.tokens, domains: own.map(({ loss, tokens }) => tokens === 0 ? null : loss / tokens) };
}

/** The loss of a document and what it counts for. */
export interface WeighedDocumentLoss extends DocumentLoss {
  /** place of its domain in the validation set */
  readonly domain: number;
}

/** The whole validation set of a corpus at one evaluation. */
export interface DocumentLosses {
  /** names and weights, which sum to 1 over those that have a document */
  readonly domains: readonly { readonly name: string; readonly weight: number }[];
  /** in the same order at every evaluation of every run with the same corpus, so that runs are compared in pairs */
  readonly documents: readonly WeighedDocumentLoss[];
}

/**
 * Losses by document at an evaluation.
 *
 * @returns undefined where the evaluation keeps none: between landmarks, and in earlier versions of the format
 */
export function documentLosses(
  { validation }: Pick<Curves, "validation">,
  { documents: found }: Pick<CurvePoint, "documents">,
  corpus: keyof PerCorpus<unknown>,
): DocumentLosses | undefined {
  const set = validation?.[corpus];
  const losses = found?.[corpus];
  if (set?.documents === undefined || losses === undefined) return undefined;
  const documents = losses.map((loss, i) => ({ ...loss, domain: set.documents?.[i]?.domain ?? 0 }));
  const present = new Set(documents.map(({ domain }) => domain));
  const total = set.domains.reduce((sum, { weight }, domain) => sum + (present.has(domain) ? weight : 0), 0);
  const domains = set.domains.map(({ name, weight }, domain) => ({
    name,
    weight: present.has(domain) ? weight / total : 0,
  }));
  return { domains, documents };
}

/**
 * Mean loss of a whole validation set, nats a token: of each domain the mean over its tokens, and of these the mean by
 * the weights that are trained with.
 */
export function wholeLoss(losses: DocumentLosses): number {
  return domainLosses(losses).reduce<number>((sum, loss, i) => sum + (loss ?? 0) * (losses.domains[i]?.weight ?? 0), 0);
}

/** Mean loss of each domain over all its documents, nats a token; null for one without a document. */
export function domainLosses({ domains, documents }: DocumentLosses): (number | null)[] {
  const sums = domains.map(() => ({ loss: 0, tokens: 0 }));
  for (const { domain, tokens, loss } of documents) {
    const sum = sums[domain];
    if (sum === undefined) continue;
    sum.loss += loss;
    sum.tokens += tokens;
  }
  return sums.map(({ loss, tokens }) => tokens === 0 ? null : loss / tokens);
}
