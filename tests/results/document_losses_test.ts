import { deepEqual, equal, throws } from "node:assert/strict";
import type { CurvePoint, Curves } from "../../src/results/curves.ts";
import { parseCurves } from "../../src/results/curves_schema.ts";
import { documentLosses, domainLosses, sampleMeans, wholeLoss } from "../../src/results/document_losses.ts";
import { userError } from "../data/user_error.ts";

const set = {
  domains: [{ name: "a", weight: 0.75 }, { name: "b", weight: 0.25 }, { name: "empty", weight: 0 }],
  documents: [{ domain: 0, tokens: 10 }, { domain: 0, tokens: 30 }, { domain: 1, tokens: 20 }],
};
/** These sums of the set's documents. */
function lost(...sums: number[]) {
  return sums.map((loss, i) => ({ tokens: set.documents[i]?.tokens ?? 1, loss }));
}
/** Two documents of the first domain, and one of the third. */
const sampled = [
  { domain: 0, document: 4, tokens: 10 },
  { domain: 0, document: 9, tokens: 10 },
  { domain: 2, document: 0, tokens: 20 },
];
const point: CurvePoint = {
  step: 0,
  tokens: 0,
  learningRate: 0,
  upstream: 2,
  downstream: 2,
  domains: { upstream: [1, null, 2], downstream: [1, 2, null] },
  sampledDocuments: { upstream: [4, 16, 40], downstream: [0, 1, 2] },
  documents: { upstream: lost(20, 20, 60), downstream: lost(10, 30, 20) },
};
const curves: Curves = {
  runKey: "0".repeat(64),
  label: "run",
  tokensPerStep: 4,
  bytesPerToken: { upstream: 1, downstream: 1 },
  validation: { upstream: { ...set, sampledDocuments: sampled }, downstream: { ...set, sampledDocuments: sampled } },
  points: [point],
};

Deno.test("documentLosses() pairs the sums with the documents, and wholeLoss() weighs domains as training does", () => {
  const losses = documentLosses(curves, point, "upstream");
  if (losses === undefined) throw new Error("there are losses by document");
  deepEqual(losses.documents[1], { domain: 0, tokens: 30, loss: 20 });
  deepEqual(domainLosses(losses), [1, 3, null]);
  equal(wholeLoss(losses), 0.75 * 1 + 0.25 * 3);
  equal(documentLosses(curves, {}, "upstream"), undefined);
  equal(documentLosses({}, point, "upstream"), undefined);
});

Deno.test("documentLosses() shares the weight of a domain without a document out to the others", () => {
  const { domains } = set;
  const part = { domains, documents: [{ domain: 1, tokens: 10 }] };
  const losses = documentLosses({ validation: { upstream: part, downstream: part } }, {
    documents: { upstream: [{ tokens: 10, loss: 5 }], downstream: [{ tokens: 10, loss: 5 }] },
  }, "downstream");
  deepEqual(losses?.domains.map(({ weight }) => weight), [0, 1, 0]);
  equal(losses && wholeLoss(losses), 0.5);
});

Deno.test("sampleMeans() makes the means of a sample and of its domains from the sums of its documents", () => {
  const sample = { domains: set.domains, sampledDocuments: sampled };
  deepEqual(sampleMeans(sample, [4, 16, 40]), { mean: 1.5, domains: [1, null, 2] });
});

Deno.test("parseCurves() takes losses by domain and document, and refuses more or fewer than the set has", () => {
  deepEqual(parseCurves(JSON.stringify(curves), "curves.json"), curves);
  const documents = { upstream: lost(20, 20), downstream: lost(10, 30, 20) };
  throws(
    () => parseCurves(JSON.stringify({ ...curves, points: [{ ...point, documents }] }), "curves.json"),
    userError("INVALID_FIELD", "points[0].documents.upstream"),
  );
  const sampledDocuments = { upstream: [4, 16, 40], downstream: [1, 2] };
  throws(
    () => parseCurves(JSON.stringify({ ...curves, points: [{ ...point, sampledDocuments }] }), "curves.json"),
    userError("INVALID_FIELD", "points[0].sampledDocuments.downstream", "as many as the validation set has sampled"),
  );
});
