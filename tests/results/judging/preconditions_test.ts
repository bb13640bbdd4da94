import assert from "node:assert/strict";
import { planFromJson } from "../../../src/experiment/plan/plan_json.ts";
import type { ArmCurves } from "../../../src/results/arm_curves.ts";
import { judgeClaims } from "../../../src/results/claims.ts";
import { parseCurves } from "../../../src/results/curves_schema.ts";
import { armsOf } from "../../../src/manifest/verify/verify_claims.ts";
import { judgeContext } from "../../../src/results/paper_judge.ts";
import type { Paper } from "../../../src/results/paper_schema.ts";
import { loadPaper } from "../../../src/reproduce/paper_file.ts";
import { arm, REHEARSAL } from "../rehearsal.ts";
import { claimOf } from "../paper.ts";
import { A_BELOW_B, pairs } from "../two_arms.ts";
import { currentPaper } from "./current.ts";

const SMOKE = new URL("../../fixtures/manifests/v2/", import.meta.url);
const { content: paper } = await loadPaper();
const { content: all } = await loadPaper({ set: "all" });

Deno.test("smoke says nothing: no claim is compared, since the model has learned next to nothing", async () => {
  const plan = planFromJson(JSON.parse(await Deno.readTextFile(new URL("plan.json", SMOKE))), "plan.json");
  const curves = new Map(
    await Promise.all(plan.runs.map(async ({ key, label }) => {
      const text = await Deno.readTextFile(new URL(`runs/${label}/curves.json`, SMOKE));
      return [key, parseCurves(text, label)] as const;
    })),
  );
  const verdicts = judgeClaims(paper, armsOf(plan.runs, curves), judgeContext(paper, plan));
  assert.ok(verdicts.length > 15);
  for (const { id, verdict, reason, words } of verdicts) {
    assert.equal(verdict, "not comparable", id);
    assert.equal(words, "says nothing");
    // 3.82 of the 5.55 nats that guessing costs
    if (id === "highest-upstream-loss-about") continue;
    assert.match(reason, /learned next to nothing.*"start below guessing" \+31\.1\d % \(50\.00 % or more asked\)/, id);
  }
});

/** Losses at the start of a run that others had pre-trained. */
function startsAt(loss: number): ArmCurves {
  return arm("x/start", [0, 247], [[loss, 2], [1, 2]]);
}

const LEARNED: Paper["preconditions"] = {
  learned: {
    title: "the model has learned",
    otherwise: "the model has learned next to nothing",
    rule: { kind: "learned", runs: ["x/absent", "x/start"], metric: "upstream", margin: "half" },
    reason: "a test",
  },
};
const HALF = { half: { value: 0.5, unit: "share", reason: "a test" } };

Deno.test("a precondition is met from its margin on, read off the first run that was trained", () => {
  const clear = pairs([[1.9, 2], [1.92, 2], [1.88, 2]]);
  const rules = currentPaper([claimOf(A_BELOW_B, { requires: ["learned"] })], { preconditions: LEARNED });
  const paper = { ...rules, margins: { ...rules.margins, ...HALF } };
  const verdict = (loss: number) => judgeClaims(paper, [...clear, startsAt(loss)], REHEARSAL)[0];
  // half of ln 256 is 2.7726
  assert.equal(verdict(2.77)?.verdict, "reproduced");
  assert.equal(verdict(2.78)?.verdict, "not comparable");
  assert.match(verdict(2.78)?.reason ?? "", /^Not comparable: the model has learned next to nothing: "start below/);
  assert.match(verdict(2.77)?.rule ?? "", /; only if the model has learned$/);
  assert.ok(verdict(2.77)?.numbers.some(({ name }) => name === "precondition learned: start below guessing, share"));
  assert.ok(verdict(2.77)?.evidence.some(({ label }) => label === "x/start, seed 0: upstream loss in nats"));
});

Deno.test("a precondition that cannot be read leaves nothing to compare, and says which arm is missing", () => {
  const rules = currentPaper([claimOf(A_BELOW_B, { requires: ["learned"] })], { preconditions: LEARNED });
  const [verdict] = judgeClaims(rules, pairs([[1.9, 2], [1.92, 2]]), REHEARSAL);
  assert.equal(
    verdict?.reason,
    'Not comparable: whether the model has learned cannot be read: arm "x/absent" was not run.',
  );
});

Deno.test("a claim about a late crossing is not compared where continued training is short", () => {
  const claim = paper.claims.find(({ id }) => id === "scratch-overtakes-constant");
  assert.deepEqual(claim?.requires, ["learned", "long-enough"]);
  const arms = [startsAt(1)];
  const rules = {
    ...currentPaper([claimOf(A_BELOW_B, { requires: ["long-enough"] })]),
    margins: paper.margins,
    preconditions: paper.preconditions,
  };
  const [verdict] = judgeClaims(rules, [...arms, ...pairs([[1.9, 2], [1.92, 2], [1.88, 2]])], {
    ...REHEARSAL,
    pretrainingTokens: 2 * REHEARSAL.totalDownstreamSteps * REHEARSAL.tokensPerStep,
  });
  assert.match(
    verdict?.reason ?? "",
    /too short against pre-training: "continuing ÷ pre-training" 0\.50 \(0\.90 or more/,
  );
});

Deno.test("every claim that is compared at every scale asks that the model has learned", () => {
  for (const { id, comparable, requires = [] } of all.claims) {
    if (comparable === "every-scale") assert.ok(requires.includes("learned"), id);
  }
});

Deno.test("every precondition and every margin is used, and has its reason", () => {
  const used = JSON.stringify([all.claims, all.preconditions]);
  for (const [name, { reason }] of Object.entries({ ...all.margins, ...all.preconditions })) {
    assert.ok(used.includes(`"${name}"`), name);
    assert.ok(reason.length > 30, name);
  }
});
