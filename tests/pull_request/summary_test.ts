import assert from "node:assert/strict";
import type { Digest } from "../../src/digest/sha256.ts";
import { concludeVerification, VERIFICATION_STEPS } from "../../src/manifest/verify/verification_report.ts";
import type { Review } from "../../src/pull_request/review.ts";
import { annotationsOf, outcomeOf, summaryText } from "../../src/pull_request/summary.ts";
import type { ManifestDiff } from "../../src/retrain/diff.ts";
import { HOSTILE_NAMES, outsideOfCode } from "../markdown.ts";

const DIGEST = "0".repeat(64) as Digest;

function reviewOf(text: string, status: "ok" | "failed" | "not checked" = "ok"): Review {
  const steps = VERIFICATION_STEPS.map((name) => ({ name, status, detail: text }));
  const report = concludeVerification(steps, { caveats: [text], signers: [{ keyId: DIGEST }], path: text });
  const side = { path: text, sha256: DIGEST };
  const comparison: ManifestDiff = {
    manifests: { a: side, b: side },
    differences: [{ run: text, step: 3, field: "loss", a: text, b: text }],
    runs: 5,
    environments: [],
  };
  return { path: text, verdict: report.verdict, verified: { report }, comparison };
}

const removed: Review = { path: "old.tar", verdict: "removed", comparison: "removed by this pull request" };

Deno.test("outcomeOf() is the worst of all, and what was not looked at is not verified", () => {
  const [good, bad, open] = [reviewOf("a"), reviewOf("b", "failed"), reviewOf("c", "not checked")];
  assert.equal(outcomeOf([good, open, bad], []), "failed");
  assert.equal(outcomeOf([good, open], []), "could not check");
  assert.equal(outcomeOf([good], ["more"]), "could not check");
  assert.equal(outcomeOf([good, removed], []), "verified");
  assert.equal(outcomeOf([removed], []), "nothing to check");
  assert.equal(outcomeOf([], []), "nothing to check");
});

Deno.test("summaryText() has the same structure whatever names are", () => {
  const of = (text: string) =>
    summaryText([reviewOf(text), { ...removed, path: text, comparison: text, reason: text }], [text, text]);
  const plain = outsideOfCode(of("plain"));
  assert.match(plain, /^<h2>Manifests of this pull request: could not check<\/h2>/);
  assert.match(plain, /<strong>verified<\/strong>; 1 of 5 runs differ from the base branch/);
  assert.match(plain, /<strong>not looked at<\/strong>: 2 more/);
  assert.doesNotMatch(plain, /plain/);
  for (const name of HOSTILE_NAMES) {
    assert.equal(outsideOfCode(of(name)).replaceAll("(blank)", ""), plain, JSON.stringify(name));
  }
});

Deno.test("summaryText() stays below what GitHub shows, and names every manifest", () => {
  const long = "x".repeat(5000);
  const reviews = Array.from({ length: 100 }, (_, i) => ({ ...reviewOf(long), path: `m${i}.tar` }));
  const text = summaryText(reviews, []);
  assert(text.length < 2 ** 20, `${text.length} characters`);
  assert.match(text, /Details of \d+ more manifests are in the job's log/);
  for (const { path } of reviews) assert(text.includes(`- \`${path}\`: **verified**`), path);
});

Deno.test("annotationsOf() says what was not checked, and which step failed", () => {
  const notes = annotationsOf([reviewOf("a"), reviewOf("b", "failed"), removed], ["c", "d"]);
  assert.deepEqual(notes, [
    { level: "notice", file: "a", message: "Verified; not checked: nothing left out" },
    { level: "error", file: "b", message: "Failed: size: b" },
    { level: "warning", file: "old.tar", message: "This manifest is removed" },
    { level: "error", file: "c", message: "Not looked at, as 1 more: a pull request may change fewer manifests" },
  ]);
});
