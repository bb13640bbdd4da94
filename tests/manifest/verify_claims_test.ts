import assert from "node:assert/strict";
import { checkClaims, type ClaimEvidence, type Judgement } from "../../src/manifest/verify/verify_claims.ts";
import type { Estimate } from "../../src/results/estimates/estimate.ts";
import { makeBundle, testPlan } from "./fixture.ts";

const { statement: { predicate } } = await makeBundle();
const plan = await testPlan();

const ESTIMATE: Estimate = {
  id: "gap",
  experiment: "replay",
  title: "The stability gap",
  measure: "depth of 1x",
  numbers: [{
    label: "depth of 1x",
    unit: "share of loss",
    value: "0.100000",
    seeds: 3,
    intervals: [{ over: "seeds", count: 3, low: "0.050000", high: "0.150000" }],
  }],
  evidence: [],
};

/** What the claims' step says of a predicate that states some estimates, where the curves give the one above. */
async function checked(stated: Partial<ClaimEvidence["predicate"]>, judged: Partial<Judgement> = {}) {
  const { claims, comparisons } = predicate;
  const judgement: Judgement = { claims, comparisons, rulesVersion: 2, estimates: [ESTIMATE], ...judged };
  return await checkClaims({ predicate: { ...predicate, ...stated }, plan, arms: [] }, () => judgement);
}

Deno.test("checkClaims() makes estimates again, and compares their numbers, intervals and words", async () => {
  const right = { rulesVersion: 2, estimates: [ESTIMATE] } as const;
  assert.equal((await checked(right)).status, "ok");
  assert.match((await checked(right)).detail ?? "", /, questions estimated again: 1$/);
  const [number] = ESTIMATE.numbers;
  assert.ok(number !== undefined);
  const forged: Estimate[] = [
    { ...ESTIMATE, numbers: [{ ...number, value: "0.200000" }] },
    { ...ESTIMATE, numbers: [{ ...number, intervals: [] }] },
    { ...ESTIMATE, numbers: [] },
    { ...ESTIMATE, missing: "nothing was run" },
    { ...ESTIMATE, id: "another" },
    { ...ESTIMATE, title: "Another question" },
  ];
  for (const estimate of forged) {
    const { status, detail } = await checked({ ...right, estimates: [estimate] });
    assert.equal(status, "failed");
    assert.match(detail ?? "", /estimate "gap"/);
  }
  assert.match((await checked({ rulesVersion: 2 })).detail ?? "", /estimate "gap" is not stated/);
  const more = await checked({ ...right, estimates: [ESTIMATE, { ...ESTIMATE, id: "more" }] });
  assert.match(more.detail ?? "", /estimate "more" is stated, but the rules have none/);
});

Deno.test("checkClaims() refuses another version of the rules than those that are signed", async () => {
  const stated = await checked({ estimates: [ESTIMATE] });
  assert.equal(stated.status, "failed");
  assert.equal(stated.detail, "the rules are stated to be of version 1, and are of 2");
  assert.equal(
    (await checked({ rulesVersion: 2 }, { rulesVersion: undefined, estimates: undefined })).status,
    "failed",
  );
  assert.equal((await checked({}, { rulesVersion: undefined, estimates: undefined })).status, "ok");
});

Deno.test("checkClaims() accepts other words of another version, and no other numbers", async () => {
  const tool = { ...predicate.tool, version: "9.9.9" };
  const worded = { ...ESTIMATE, measure: "how deep 1x falls" };
  const other = await checked({ tool, rulesVersion: 2, estimates: [worded] });
  assert.equal(other.status, "ok");
  assert.match(other.caveat ?? "", /The words for what was found/);
  const forged = await checked({ tool, rulesVersion: 2, estimates: [{ ...worded, numbers: [] }] });
  assert.equal(forged.status, "failed");
});
