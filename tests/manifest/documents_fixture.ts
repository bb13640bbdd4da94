/** Invented losses by document for runs whose specification keeps them. */
import type { RunSpecification } from "../../src/experiment/run/run.ts";
import { isWholeEvaluation } from "../../src/experiment/run/evaluation.ts";
import type { CurvePoint, PerCorpus, ValidationSet } from "../../src/results/curves.ts";
import { sampleMeans } from "../../src/results/document_losses.ts";

/** The validation sets of a run: two domains, three sampled documents, two in all; undefined if none are kept. */
export function validationOf(
  { evaluation: { windows, landmarkWindows }, model: { sequenceLength } }: RunSpecification,
): PerCorpus<ValidationSet> | undefined {
  if (landmarkWindows === undefined) return undefined;
  const set: ValidationSet = {
    domains: [{ name: "a", weight: 0.75 }, { name: "b", weight: 0.25 }],
    sampledDocuments: [
      { domain: 0, document: 1, tokens: sequenceLength },
      { domain: 0, document: 4, tokens: (windows - 2) * sequenceLength },
      { domain: 1, document: 0, tokens: sequenceLength },
    ],
    documents: [
      { domain: 0, tokens: (landmarkWindows - 1) * sequenceLength },
      { domain: 1, tokens: sequenceLength },
    ],
  };
  return { upstream: set, downstream: set };
}

/** A point with losses by document, and with the means that they make; as it was if none are kept. */
export function withDocuments(specification: RunSpecification, point: CurvePoint): CurvePoint {
  const validation = validationOf(specification);
  if (validation === undefined) return point;
  const lost = (corpus: "upstream" | "downstream") => {
    const { sampledDocuments = [], documents = [] } = validation[corpus];
    const sums = sampledDocuments.map(({ tokens }, index) => Math.fround(tokens * point[corpus] * (1 + index / 7)));
    return {
      sums,
      means: sampleMeans(validation[corpus], sums),
      documents: documents.map(({ tokens }) => ({ tokens, loss: tokens * point[corpus] })),
    };
  };
  const upstream = lost("upstream"), downstream = lost("downstream");
  return {
    ...point,
    upstream: upstream.means.mean,
    downstream: downstream.means.mean,
    domains: { upstream: upstream.means.domains, downstream: downstream.means.domains },
    sampledDocuments: { upstream: upstream.sums, downstream: downstream.sums },
    ...(isWholeEvaluation(specification.evaluation, point.step)
      ? { documents: { upstream: upstream.documents, downstream: downstream.documents } }
      : {}),
  };
}
