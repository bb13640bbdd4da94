import assert from "node:assert/strict";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import { judgeClaims, type Verdict } from "../../src/results/claims.ts";
import type { Rule } from "../../src/results/rule_schema.ts";
import { PAPER, paperWith } from "./paper.ts";
import { arm, REHEARSAL, rehearsalArms } from "./rehearsal.ts";
import { A_BELOW_B, A_LIKE_B, pairs } from "./two_arms.ts";

const VERDICTS = judgeClaims(PAPER, rehearsalArms(), REHEARSAL);

/** The verdict on one rule. */
function judge(rule: Rule, arms: readonly ArmCurves[], context = REHEARSAL): Verdict {
  const [verdict] = judgeClaims(paperWith(rule), arms, context);
  assert.ok(verdict !== undefined);
  return verdict;
}

Deno.test("judgeClaims() says of the rehearsal what a careful reader says of its table", () => {
  // The reader, in the order of the paper. Without a column for 19 %, and with the upstream loss alone where
  // training goes on with the same data, those claims cannot be read.
  const reader: Record<string, Verdict["verdict"]> = {
    "warmup-length-downstream": "reproduced", // 1.258 to 1.269 is 0.87 %
    "warmup-length-upstream": "reproduced", // 1.205 to 1.209
    "no-warmup-spike-downstream": "reproduced", // 1.558 over 1.491 and 1.490
    "no-warmup-spike-upstream": "reproduced", // 1.222 over 0.890 and 1.076
    "no-warmup-no-lasting-effect-downstream": "reproduced",
    "no-warmup-no-lasting-effect-upstream": "reproduced",
    "highest-upstream-loss-about": "not comparable", // 2.5 nats belong to 410M parameters
    "rewarming-raises-downstream": "contradicted", // at 2x only
    "rewarming-raises-upstream": "reproduced",
    "max-learning-rate-downstream": "reproduced", // 1.044, 1.012, 0.996
    "max-learning-rate-upstream": "reproduced", // 1.040, 1.080, 1.117
    "constant-best-early": "contradicted", // behind 0.5x from 5 % of the tokens on
    "constant-loses-later": "reproduced",
    "rewarmed-beats-scratch": "reproduced",
    "scratch-overtakes-constant": "contradicted", // 1.207 against 1.144 at 240B
    "scratch-upstream-keeps-falling": "reproduced",
    "same-data-rises": "reproduced",
    "same-data-does-not-recover": "reproduced", // 0.946 over 0.890, the least
    "same-data-linear": "not comparable",
    "earlier-no-help-downstream": "not comparable",
    "earlier-no-help-downstream-no-warmup": "not comparable",
    "earlier-worse-upstream": "not comparable",
    "earlier-worse-upstream-no-warmup": "not comparable",
    "no-loss-of-plasticity": "not comparable",
  };
  assert.deepEqual(Object.fromEntries(VERDICTS.map(({ id, verdict }) => [id, verdict])), reader);
});

Deno.test("judgeClaims() judges the earlier checkpoints when the 19 % arms are there", () => {
  // between the 7 % and the 100 % ones of the rehearsal, where a reader would expect them
  const arms = [
    ...rehearsalArms(),
    arm("earlier-checkpoints/19%-warmup-0%", [0, 248], [[1.6, 2.0], [1.45, 1.48]]),
    arm("earlier-checkpoints/19%-warmup-1%", [0, 248], [[1.6, 2.0], [1.44, 1.47]]),
  ];
  const verdicts = judgeClaims(PAPER, arms, REHEARSAL).filter(({ section }) => section === "4.5");
  assert.deepEqual(verdicts.map(({ verdict }) => verdict), Array(5).fill("reproduced"));
});

Deno.test("judgeClaims() gives the numbers, the runs, the steps and the tokens it read", () => {
  const verdict = VERDICTS.find(({ id }) => id === "max-learning-rate-downstream");
  assert.deepEqual(verdict?.numbers, [
    { name: "1x below 0.5x, share of loss", value: "0.030651" }, // (1.044 − 1.012) / 1.044
    { name: "2x below 1x, share of loss", value: "0.015810" }, // (1.012 − 0.996) / 1.012
  ]);
  assert.deepEqual(verdict.evidence[0], {
    label: "max-learning-rate/0.5x, seed 0: downstream loss in nats",
    runKey: "max-learning-rate/0.5x 0",
    step: 1185,
    tokens: 1185 * 2048,
    value: "1.044000",
  });
  assert.equal(verdict.evidence.length, 3);
  assert.match(verdict.reason, /^At step 1185 \(240B tokens of the paper\) the downstream loss is 0\.5x 1\.044, /);
  assert.match(verdict.reason, /narrowest being "2x below 1x" \+1\.58 % \(0\.50 % or more asked\)\.$/);
  assert.match(verdict.rule, /falls from 0\.5x, 1x to 2x, each by 0\.5 % or more/);
});

Deno.test("judgeClaims() names the parts that fail and counts those that hold when a claim is contradicted", () => {
  const reason = VERDICTS.find(({ id }) => id === "rewarming-raises-downstream")?.reason ?? "";
  assert.match(reason, /"0\.5x above its start" -2\.75 %/);
  assert.match(reason, /"1x above its start" -0\.07 %/);
  assert.doesNotMatch(reason, /"2x above its start"/);
  assert.match(reason, /\(1 of 3 comparisons hold\)\.$/);
});

Deno.test("judgeClaims() says when the constant rate loses the lead", () => {
  const verdict = VERDICTS.find(({ id }) => id === "constant-best-early");
  assert.equal(verdict?.summary, "constant lowest until 15B"); // 1.349 against 1.348 of 0.5x at step 73
  assert.match(verdict.reason, /"constant never behind the best other" -1\.97 %/); // 1.267 against 1.242 at step 248
});

Deno.test("judgeClaims() says with the rule how the paper's words were read", () => {
  const rule = VERDICTS.find(({ id }) => id === "rewarming-raises-downstream")?.rule ?? "";
  assert.match(rule, /within 15B tokens of the paper; read as a statement about every maximum learning rate$/);
});

Deno.test("judgeClaims() does not depend on the order of the arms", () => {
  assert.deepEqual(judgeClaims(PAPER, rehearsalArms().reverse(), REHEARSAL), VERDICTS);
});

Deno.test("judgeClaims() gives plain JSON", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(VERDICTS)), VERDICTS);
});

Deno.test("judgeClaims() says which arm was not run when one is missing", () => {
  const arms = rehearsalArms().filter(({ experiment }) => experiment !== "from-scratch");
  const verdict = judgeClaims(PAPER, arms, REHEARSAL).find(({ id }) => id === "rewarmed-beats-scratch");
  assert.equal(verdict?.verdict, "not comparable");
  assert.equal(verdict.reason, 'Not comparable: arm "from-scratch/scratch" was not run.');
});

Deno.test("judgeClaims() names a run that diverged before the step that a rule reads", () => {
  const arms = [
    { ...arm("x/a", [0, 14], [[1, 2], [1, 2]], { diverged: { step: 20, loss: "NaN" } }), steps: 247 },
    arm("x/b", [0, 14, 247], [[1, 2], [1, 2], [1, 1.5]]),
  ];
  const verdict = judge(A_BELOW_B, arms);
  assert.equal(verdict.verdict, "not comparable");
  assert.match(verdict.reason, /"x\/a" \(seed 0\) diverged at step 20 \(loss NaN\), before step 247/);
});

Deno.test("judgeClaims() does not mind a divergence beyond the steps that an arm looks at", () => {
  const [a, b] = pairs([[1.4, 1.5]]) as [ArmCurves, ArmCurves];
  const diverged = { ...a, curves: { ...a.curves, diverged: { step: 900, loss: "Infinity" } } };
  assert.equal(judge(A_BELOW_B, [diverged, b]).verdict, "reproduced");
});

Deno.test("judgeClaims() ignores the points of a shared run beyond the arm's own steps", () => {
  const [a, b] = pairs([[1.6, 1.5]]) as [ArmCurves, ArmCurves];
  const longer = {
    ...a.curves.points[1],
    step: 250,
    tokens: 250 * 2048,
    upstream: 1,
    downstream: 0.1,
    learningRate: 0,
  };
  const shared = { ...a, curves: { ...a.curves, points: [...a.curves.points, longer] } };
  const end: Rule = { ...A_BELOW_B, at: "end" };
  assert.equal(judge(end, [shared, b]).verdict, "contradicted");
});

Deno.test("judgeClaims() says where the curve of an interrupted run ends", () => {
  const arms = [arm("x/a", [0, 98], [[1, 2], [1, 2]]), arm("x/b", [0, 98, 247], [[1, 2], [1, 2], [1, 2]])];
  const reason = judge(A_BELOW_B, [{ ...arms[0] as ArmCurves, steps: 247 }, arms[1] as ArmCurves]).reason;
  assert.match(reason, /reads step 247 \(50B tokens of the paper\), but the curve of "x\/a" ends at step 98/);
});

Deno.test("judgeClaims() compares arms at a step that both have", () => {
  // nearest to step 247 are 240 for "a" and 247 for "b"; only 230 is in both
  const arms = [
    arm("x/a", [0, 230, 240], [[1, 2], [1, 1.4], [1, 9]]),
    arm("x/b", [0, 230, 247], [[1, 2], [1, 1.5], [1, 1]]),
  ];
  const verdict = judge(A_BELOW_B, [{ ...arms[0] as ArmCurves, steps: 247 }, arms[1] as ArmCurves]);
  assert.equal(verdict.verdict, "reproduced");
  assert.deepEqual(verdict.evidence.map(({ step }) => step), [230, 230]);
});

Deno.test("judgeClaims() is inconclusive with one seed when a difference is smaller than the margin", () => {
  assert.equal(judge(A_BELOW_B, pairs([[1.9, 2]])).verdict, "reproduced"); // 5 %
  assert.equal(judge(A_BELOW_B, pairs([[1.995, 2]])).verdict, "inconclusive"); // 0.25 %
  assert.equal(judge(A_BELOW_B, pairs([[2.005, 2]])).verdict, "inconclusive"); // −0.25 %
  assert.equal(judge(A_BELOW_B, pairs([[2.1, 2]])).verdict, "contradicted"); // −5 %
});

Deno.test("judgeClaims() is inconclusive with several seeds when the interval covers zero", () => {
  const noisy = judge(A_BELOW_B, pairs([[1.8, 2], [1.9, 2], [2.05, 2]])); // mean 4.2 %, one seed the other way
  assert.equal(noisy.verdict, "inconclusive");
  assert.match(noisy.reason, /interval -2\.50 % to \+10\.00 %/);
  const clear = judge(A_BELOW_B, pairs([[1.9, 2], [1.92, 2], [1.88, 2]]));
  assert.equal(clear.verdict, "reproduced");
  assert.deepEqual(clear.numbers, [
    { name: "a below b, share of loss, mean of 3 seeds", value: "0.050000" },
    { name: "a below b, share of loss, 95 % bootstrap interval, low", value: "0.040000" },
    { name: "a below b, share of loss, 95 % bootstrap interval, high", value: "0.060000" },
    { name: "a below b, effect size", value: "5.000" }, // 0.05 over a standard deviation of 0.01
  ]);
  assert.equal(judge(A_BELOW_B, pairs([[2.1, 2], [2.12, 2], [2.08, 2]])).verdict, "contradicted");
});

Deno.test("judgeClaims() keeps the margin with several seeds when a tiny difference is consistent", () => {
  assert.equal(judge(A_BELOW_B, pairs([[1.996, 2], [1.995, 2], [1.997, 2]])).verdict, "inconclusive");
});

Deno.test("judgeClaims() calls runs the same only when the whole interval lies within the margin", () => {
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.01], [2, 2.004], [2, 1.996]])).verdict, "reproduced");
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.04], [2, 2.004], [2, 1.996]])).verdict, "inconclusive");
  assert.equal(judge(A_LIKE_B, pairs([[2, 2.04], [2, 2.05], [2, 2.06]])).verdict, "contradicted");
});

Deno.test("judgeClaims() pairs seeds and leaves out a seed that one of the arms lacks", () => {
  const arms = pairs([[1.9, 2], [1.92, 2], [3, 2]]).filter((a) => !(a.seedIndex === 2 && a.arm === "b"));
  const verdict = judge(A_BELOW_B, arms);
  assert.equal(verdict.verdict, "reproduced");
  assert.match(verdict.numbers[0]?.name ?? "", /mean of 2 seeds$/);
});

Deno.test("judgeClaims() compares the absolute number at the paper's scale alone", () => {
  const rule: Rule = { kind: "peak-about", runs: ["x/a"], metric: "upstream", value: 2.5, margin: "printedTenth" };
  const verdict = (peak: number, isPaperScale: boolean) =>
    judgeClaims(paperWith(rule, "paper-scale"), [arm("x/a", [0, 14, 247], [[2.2, 2], [peak, 2], [2.3, 2]])], {
      ...REHEARSAL,
      isPaperScale,
    })[0]?.verdict;
  assert.equal(verdict(2.53, true), "reproduced");
  assert.equal(verdict(2.6, true), "contradicted");
  assert.equal(verdict(2.53, false), "not comparable");
});
