import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { judgeContext, judgeResults, paperJudge } from "../../src/results/paper_judge.ts";
import { armsOf, type ClaimEvidence } from "../../src/manifest/verify/verify_claims.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import type { Curves } from "../../src/results/curves.ts";
import { fixedPlan, FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";
import { makeBundle, testPlan } from "../manifest/fixture.ts";

const FILE = PAPER_FILE;
const { text, content: paper } = await loadPaper(FIXTURE_CATALOGUE);
const bundle = await makeBundle();
const plan = await testPlan();
const curves = new Map(plan.runs.map((run) => {
  const bytes = bundle.artefacts.get(`runs/${run.label}/curves.json`);
  return [run.key, JSON.parse(new TextDecoder().decode(bytes)) as Curves];
}));
const arms = armsOf(plan.runs, curves);

/** Evidence of a manifest that was signed with these rules. */
function signedWith(rulesText: string): ClaimEvidence {
  const predicate = { ...bundle.statement.predicate, paper: { name: "paper.yaml", sha256: sha256(rulesText) } };
  return { predicate, plan, arms };
}

Deno.test("armsOf() gives every arm of the runs that have curves", () => {
  assert.deepEqual(arms.map(({ experiment, arm }) => `${experiment}/${arm}`), [
    "warmup-length/0%",
    "warmup-length/0.5%",
    "warmup-length/1%",
  ]);
  assert.deepEqual(armsOf(plan.runs, new Map()), []);
});

Deno.test("judgeContext() knows the paper's scale by its counts", async () => {
  assert.equal(judgeContext(paper, plan).isPaperScale, false);
  assert.equal(judgeContext(paper, await fixedPlan("paper")).isPaperScale, true);
  const { scale } = plan;
  assert.equal(judgeContext(paper, { ...plan, scale: { ...scale, name: "paper" } }).isPaperScale, false);
});

Deno.test("paperJudge() judges by the rules at hand if they are those that were signed", async () => {
  const judgement = await paperJudge(text, FILE)(signedWith(text));
  assert.deepEqual(judgement, judgeResults(paper, plan, arms));
  assert.ok(typeof judgement === "object" && judgement.claims.length > 0);
});

Deno.test("paperJudge() does not judge by other rules than those that were signed", async () => {
  const judgement = await paperJudge(text, FILE)(signedWith(`${text}# changed\n`));
  assert.match(String(judgement), /^the rules here \(paper\.yaml, .*\) are not those that were signed/);
});

Deno.test("paperJudge() judges by the signed copy where there is one, and says that it differs", async () => {
  const rules = `${text}# changed\n`;
  const judgement = await paperJudge(text, FILE)({ ...signedWith(rules), rules });
  assert.ok(typeof judgement === "object");
  assert.deepEqual(judgement.claims, judgeResults(paper, plan, arms).claims);
  assert.match(judgement.caveat ?? "", /judged by the copy beside the manifest/);
});
