/** Losses by sampled document: the means that are judged must follow from them, in the journal as in the curve. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { formatVerification, type VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { CurvePoint } from "../../src/results/curves.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { type Bundle, digestOf, forge, loose, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const plan = await fixedPlan("smoke", { only: ["warmup-length/0%"], overrides: { landmarkWindows: 50 } });

async function verified({ artefacts, envelope }: Bundle): Promise<VerificationReport> {
  const bytes = new TextEncoder().encode(envelope);
  return await verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge });
}

function failure({ verdict, steps }: VerificationReport): string {
  assert.equal(verdict, "failed");
  const { name, detail } = steps.find(({ status }) => status === "failed") ?? assert.fail();
  return `${name}: ${detail}`;
}

/** Changes the losses by sampled document at one step. */
function at(step: number, change: (sums: readonly number[]) => readonly number[]) {
  return (point: CurvePoint): CurvePoint => {
    const { sampledDocuments } = point;
    if (point.step !== step || sampledDocuments === undefined) return point;
    return { ...point, sampledDocuments: { ...sampledDocuments, downstream: change(sampledDocuments.downstream) } };
  };
}

Deno.test("verifyManifest() takes a journal of version 3 whose means follow from the sampled documents", async () => {
  const report = await verified(await makeBundle(plan));
  assert.equal(report.verdict, "verified", formatVerification(report));
});

Deno.test("verifyManifest() finds forged sums of sampled documents, chained and signed anew, and forged means", async () => {
  const step = 16;
  const FORGERIES: [name: string, change: (point: CurvePoint) => CurvePoint, reason: RegExp][] = [
    ["a document that lost less", at(step, ([first = 0, ...others]) => [first / 2, ...others]), /downstream means/],
    // the mean of all stays; what moves within a domain is found by retraining alone
    ["losses moved to another domain", at(step, ([a = 0, b = 0, c = 0]) => [a - 1, b, c + 1]), /downstream means/],
    ["a mean", (point) => point.step === step ? { ...point, downstream: point.downstream - 0.5 } : point, /means/],
    [
      "the mean of a domain",
      (point) => point.step === step ? { ...point, domains: { upstream: [2, 3], downstream: [2, 3] } } : point,
      /upstream means/,
    ],
    ["a document too few", at(step, (sums) => sums.slice(1)), /not those of the domains and documents/],
  ];
  for (const [name, change, reason] of FORGERIES) {
    const found = failure(await verified(await makeBundle(plan, change)));
    assert.match(found, /^journals: /, name);
    assert.match(found, reason, name);
  }
});

Deno.test("verifyManifest() finds sums in a curve that the journal does not record", async () => {
  const bundle = await makeBundle(plan);
  const statement = loose(bundle.statement);
  const artefacts = new Map(bundle.artefacts);
  const [run] = statement.predicate.runs;
  const curve = JSON.parse(new TextDecoder().decode(artefacts.get(run.curves.name)));
  curve.points[1].sampledDocuments.upstream[0] += 1;
  artefacts.set(run.curves.name, new TextEncoder().encode(`${canonicalJson(curve)}\n`));
  run.curves.sha256 = digestOf(artefacts, run.curves.name);
  statement.subject.find(({ name }: { name: string }) => name === run.curves.name).digest.sha256 = run.curves.sha256;
  const report = await verifyManifest(await forge(statement, bundle.key), memoryArtefacts(artefacts), {
    judge: testJudge,
  });
  assert.match(failure(report), /^curves: .*losses by sampled document at step \d+ are not those/);
});
