import assert from "node:assert/strict";
import { judgeClaims } from "../../../src/results/claims.ts";
import type { Rule } from "../../../src/results/rule_schema.ts";
import { claimOf, PAPER } from "../paper.ts";
import { arm, REHEARSAL } from "../rehearsal.ts";
import { A_BELOW_B, A_LIKE_B, pairs } from "../two_arms.ts";
import { armOfDocuments, currentPaper, judge } from "./current.ts";

Deno.test("one seed without losses by document shows nothing, however large the difference", () => {
  const verdict = judge(A_BELOW_B, pairs([[1.5, 2]])); // 25 %
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /no error is known, since there is one seed .*"a below b" \+25\.00 %/);
  assert.equal(judge(A_BELOW_B, pairs([[2.5, 2]])).verdict, "inconclusive");
  assert.equal(judge(A_LIKE_B, pairs([[2, 2]])).verdict, "inconclusive");
});

Deno.test("one seed shows a difference beyond the sampling error of its documents", () => {
  // twenty documents of very different losses, of which each is 5 % lower with "a", give or take 1 %
  const b = Array.from({ length: 20 }, (_, i) => 1 + 0.1 * i);
  const a = b.map((loss, i) => loss * (0.95 + (i % 2 === 0 ? 0.01 : -0.01)));
  const verdict = judge(A_BELOW_B, [armOfDocuments("x/a", [0, 247], [b, a]), armOfDocuments("x/b", [0, 247], [b, b])]);
  assert.equal(verdict.verdict, "reproduced");
  assert.match(verdict.reason, /\+4\.\d\d % to \+5\.\d\d % over 20 documents \(0\.50 % or more asked\)/);
  assert.deepEqual(verdict.numbers.map(({ name }) => name), [
    "a below b, share of loss",
    "a below b, share of loss, 95 % t interval over 20 documents, low",
    "a below b, share of loss, 95 % t interval over 20 documents, high",
  ]);
});

Deno.test("one seed shows nothing where a difference rests on a few documents", () => {
  // one document of twenty is far lower, all others are the same: the mean is 5 % lower
  const b = Array.from({ length: 20 }, () => 2);
  const a = b.map((loss, i) => i === 3 ? 0 : loss);
  const verdict = judge(A_BELOW_B, [armOfDocuments("x/a", [0, 247], [b, a]), armOfDocuments("x/b", [0, 247], [b, b])]);
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /"a below b" \+5\.00 %, -5\.47 % to \+15\.47 % over 20 documents/); // 5 ± 2.093 · 5
});

Deno.test("losses by document of another text give no error", () => {
  const a = armOfDocuments("x/a", [0, 247], [[2, 2, 2], [1, 1, 1]]);
  const b = armOfDocuments("x/b", [0, 247], [[2, 2], [2, 2]]);
  assert.match(judge(A_BELOW_B, [a, b]).reason, /no error is known/);
});

Deno.test("the mean over all windows is what is judged where documents are known, and stands as evidence", () => {
  const a = armOfDocuments("x/a", [0, 247], [[2, 2], [1, 1.5]]);
  const b = armOfDocuments("x/b", [0, 247], [[2, 2], [2, 2.5]]);
  const sampled = (curves: typeof a) => ({
    ...curves,
    curves: { ...curves.curves, points: curves.curves.points.map((point) => ({ ...point, downstream: 9 })) },
  });
  const { evidence } = judge(A_BELOW_B, [sampled(a), sampled(b)]);
  assert.deepEqual(evidence.map(({ value }) => value), ["1.250000", "2.250000"]);
});

Deno.test("several seeds: a difference needs its margin and an interval of Student's beyond zero", () => {
  // 10, 5 and −2.5 %: 4.17 ± 4.303 · 3.63
  assert.equal(judge(A_BELOW_B, pairs([[1.8, 2], [1.9, 2], [2.05, 2]])).verdict, "inconclusive");
  // 5, 4 and 6 %: 5 ± 4.303 · 0.577
  const clear = judge(A_BELOW_B, pairs([[1.9, 2], [1.92, 2], [1.88, 2]]));
  assert.equal(clear.verdict, "reproduced");
  assert.deepEqual(clear.numbers, [
    { name: "a below b, share of loss, mean of 3 seeds", value: "0.050000" },
    { name: "a below b, share of loss, 95 % t interval over 3 seeds, low", value: "0.025159" },
    { name: "a below b, share of loss, 95 % t interval over 3 seeds, high", value: "0.074841" },
    { name: "a below b, effect size", value: "5.000" },
  ]);
  // three seeds that agree in sign: the bootstrap of version 1 calls this shown
  assert.equal(judge(A_BELOW_B, pairs([[1.98, 2], [1.9, 2], [1.999, 2]])).verdict, "inconclusive");
  // a consistent difference below the margin
  assert.equal(judge(A_BELOW_B, pairs([[1.996, 2], [1.995, 2], [1.997, 2]])).verdict, "inconclusive");
});

Deno.test("several seeds: sameness needs both one-sided tests", () => {
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.004], [2, 2.002], [2, 1.999]])).verdict, "reproduced");
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.04], [2, 2.004], [2, 1.996]])).verdict, "inconclusive");
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.1], [2, 2.101], [2, 2.102]])).verdict, "contradicted");
});

Deno.test("from five seeds on, sign flips must agree with the t test", () => {
  const five = (a: number) => pairs([[1.9, 2], [1.9, 2], [1.9, 2], [1.9, 2], [a, 2]]);
  assert.equal(judge(A_BELOW_B, five(1.92)).verdict, "reproduced");
  // one of five the other way, though little: 2/32 of all flips are as large
  const other = judge(A_BELOW_B, five(2.002));
  assert.equal(other.verdict, "inconclusive");
});

Deno.test("a probability too small for four decimals is not said to be nothing", () => {
  const clear = judge(A_BELOW_B, pairs([[2.1, 2], [2.1001, 2], [2.0999, 2]]));
  assert.equal(clear.verdict, "contradicted");
  assert.match(clear.reason ?? "", /with a probability of at most 0\.0001 among 1 claim/);
});

Deno.test("a claim is contradicted only beyond what the number of claims explains", () => {
  // −5, −4 and −6 %: one-sided 0.0065
  const arms = pairs([[2.1, 2], [2.08, 2], [2.12, 2]]);
  const claims = (count: number) => Array.from({ length: count }, (_, i) => claimOf(A_BELOW_B, { id: `claim-${i}` }));
  const few = judgeClaims(currentPaper(claims(3)), arms, REHEARSAL);
  assert.deepEqual(few.map(({ verdict }) => verdict), Array(3).fill("contradicted"));
  assert.match(few[0]?.reason ?? "", /with a probability of at most 0\.0196 among 3 claims/);
  const many = judgeClaims(currentPaper(claims(12)), arms, REHEARSAL);
  assert.deepEqual(many.map(({ verdict }) => verdict), Array(12).fill("inconclusive"));
  // claims of another source are another family
  const others = [...claims(3), ...claims(12).map((claim) => ({ ...claim, id: `other-${claim.id}`, source: "arXiv" }))];
  const verdicts = judgeClaims(currentPaper(others), arms, REHEARSAL).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts.slice(0, 3), Array(3).fill("contradicted"));
});

Deno.test("an absent rise contradicts a claim of one when a rise of the margin is ruled out", () => {
  const rule: Rule = {
    kind: "does-not-recover",
    runs: ["x/a"],
    metric: "downstream",
    at: 50e9,
    margin: "difference",
  };
  const at = (losses: readonly number[]) =>
    losses.map((loss, seedIndex) => arm("x/a", [0, 247], [[1, 2], [1, loss]], { seedIndex }));
  assert.equal(judge(rule, at([1.999, 1.9995, 1.9985])).verdict, "contradicted"); // −0.05 % ± 0.06 %
  assert.equal(judge(rule, at([1.999, 2.01, 1.97])).verdict, "inconclusive");
  assert.equal(judge(rule, at([2.1, 2.11, 2.09])).verdict, "reproduced");
});

Deno.test("several seeds with documents must hold against both errors", () => {
  const b = Array.from({ length: 20 }, () => 2);
  const a = b.map((loss, i) => i === 3 ? 0 : loss);
  const arms = [0, 1, 2].flatMap((seedIndex) => [
    armOfDocuments("x/a", [0, 247], [b, a.map((loss) => loss + 0.0001 * seedIndex)], seedIndex),
    armOfDocuments("x/b", [0, 247], [b, b], seedIndex),
  ]);
  const verdict = judge(A_BELOW_B, arms);
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /over 3 seeds, .* over 20 documents/);
});

Deno.test("verdicts have words for a reader that say no more than was shown", () => {
  const clear = pairs([[1.9, 2], [1.92, 2], [1.88, 2]]);
  assert.equal(judge(A_BELOW_B, clear).words, "same direction at this scale");
  assert.equal(judge(A_BELOW_B, clear, { ...REHEARSAL, isPaperScale: true }).words, "reproduced");
  assert.equal(judge(A_LIKE_B, clear).words, "a difference at this scale");
  assert.equal(judge(A_BELOW_B, []).words, "says nothing");
});

Deno.test("rules of version 1 give verdicts as before, without words", () => {
  const [verdict] = judgeClaims({ ...PAPER, claims: [claimOf(A_BELOW_B)] }, pairs([[1.5, 2]]), REHEARSAL);
  assert.equal(verdict?.verdict, "reproduced");
  assert.ok(verdict !== undefined && !("words" in verdict));
});

Deno.test("verdicts do not depend on the order of arms", () => {
  const arms = pairs([[1.9, 2], [1.92, 2], [1.88, 2]]);
  const verdict = judge(A_BELOW_B, arms);
  assert.deepEqual(judge(A_BELOW_B, [...arms].reverse()), verdict);
});
