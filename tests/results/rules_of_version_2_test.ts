/** The kinds of rules that came with version 2, over curves for each outcome; three seeds, so that errors are known. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import { contrastCount } from "../../src/results/judging_budget.ts";
import { parsePaper } from "../../src/results/paper_schema.ts";
import { marginsOf, type Rule, ruleSchema, runsOf } from "../../src/results/rule_schema.ts";
import { assess } from "../../src/results/rules/assess.ts";
import { describeRule } from "../../src/results/rules/describe.ts";
import { currentPaper, judge } from "./judging/current.ts";
import { claimOf, PAPER, PAPER_TEXT } from "./paper.ts";
import { arm, REHEARSAL } from "./rehearsal.ts";
import type { LossPair } from "./rehearsal_losses.ts";
import { judgeClaims } from "../../src/results/claims.ts";

/** Steps for 0, 3, 6, 15, 50 and 100B tokens of the paper. */
const STEPS = [0, 15, 30, 74, 247, 493];

/** An arm at three seeds, whose losses differ by a factor that all of a seed share, and a little of their own. */
function seeds(name: string, losses: readonly LossPair[]): ArmCurves[] {
  return [0, 1, 2].map((seedIndex) => {
    const own = 1 + 0.0002 * ((seedIndex * 7 + name.length) % 3 - 1);
    const factor = (1 + 0.01 * seedIndex) * own;
    return arm(name, STEPS, losses.map(([up, down]): LossPair => [up * factor, down * factor]), { seedIndex });
  });
}

const both = (losses: readonly number[]): LossPair[] => losses.map((loss) => [loss, loss]);
const peaks = (runs: string[], reference: string): Rule => ({
  kind: "peaks-above",
  runs,
  reference,
  metric: "upstream",
  within: 15e9,
  margin: "difference",
});

Deno.test("peaks-above: a run that rises only as much as its control has not risen by re-warming", () => {
  const control = seeds("x/constant", both([1, 1.05, 1.1, 1.08, 1, 1]));
  const rewarmed = seeds("x/1x", both([1, 1.2, 1.1, 1.05, 1, 1]));
  const same = seeds("x/same", both([1, 1.1, 1.05, 1.08, 1, 1]));
  assert.equal(judge(peaks(["x/1x"], "x/constant"), [...control, ...rewarmed]).verdict, "reproduced");
  assert.notEqual(judge(peaks(["x/same"], "x/constant"), [...control, ...same]).verdict, "reproduced");
  // version 1 asked for the start alone, which the control itself passes
  assert.notEqual(judge(peaks(["x/constant"], "x/1x"), [...control, ...rewarmed]).verdict, "reproduced");
});

Deno.test("peaks-above: peaks are compared with each other, wherever they stand", () => {
  const early = seeds("x/0%", both([1, 1.2, 1.05, 1.02, 1, 1])), late = seeds("x/1%", both([1, 1.02, 1.1, 1.19, 1, 1]));
  const { summary } = judge(peaks(["x/0%"], "x/1%"), [...early, ...late]);
  assert.equal(summary, "peaks 0% 1.212 (start 1.010, 1% 1.202)");
});

Deno.test("rises-then-falls: peaks in the order of the list, and losses that come down", () => {
  const rule = (runs: string[]): Rule => ({
    kind: "rises-then-falls",
    runs,
    metric: "upstream",
    within: 15e9,
    at: 50e9,
    margin: "difference",
  });
  const arms = [
    ...seeds("x/low", both([1, 1.1, 1.08, 1.05, 1.02, 1])),
    ...seeds("x/high", both([1, 1.2, 1.3, 1.2, 1.1, 1])),
    ...seeds("x/stays", both([1, 1.2, 1.3, 1.4, 1.4, 1])),
  ];
  assert.equal(judge(rule(["x/low", "x/high"]), arms).verdict, "reproduced");
  assert.equal(judge(rule(["x/high", "x/low"]), arms).verdict, "contradicted");
  assert.equal(judge(rule(["x/high", "x/stays"]), arms).verdict, "inconclusive");
});

Deno.test("lowest-at: ahead at the first points, level at most at the last", () => {
  const rule: Rule = {
    kind: "lowest-at",
    run: "x/constant",
    others: ["x/1x"],
    metric: "downstream",
    at: [50e9, 100e9],
    margin: "difference",
  };
  const at = (fifty: number, hundred: number) => [
    ...seeds("x/constant", both([1, 1, 1, 1, 1, 1])),
    ...seeds("x/1x", both([1, 1, 1, 1, fifty, hundred])),
  ];
  assert.equal(judge(rule, at(1.05, 1)).verdict, "reproduced");
  assert.equal(judge(rule, at(1.05, 0.95)).verdict, "contradicted");
  assert.equal(judge(rule, at(1, 1.05)).verdict, "inconclusive");
});

Deno.test("each-above: every run against a reference of its own", () => {
  const rule: Rule = {
    kind: "each-above",
    pairs: [{ run: "x/a", reference: "x/b" }, { run: "x/c", reference: "x/d" }],
    metric: "upstream",
    at: 50e9,
    margin: "difference",
  };
  const arms = (c: number) =>
    Object.entries({ a: 1.1, b: 1, c, d: 2 }).flatMap(([name, loss]) =>
      seeds(`x/${name}`, both([1, 1, 1, 1, loss, 1]))
    );
  assert.equal(judge(rule, arms(2.1)).verdict, "reproduced");
  assert.equal(judge(rule, arms(1.9)).verdict, "contradicted");
});

Deno.test("more-linear: a line against a bend, and a falling line against a rising one", () => {
  const rule: Rule = {
    kind: "more-linear",
    pairs: [{ run: "x/same", reference: "x/shift" }],
    until: 50e9,
    margin: "fit",
  };
  const same = seeds("x/same", [[1, 2], [1.2, 2.2], [1.3, 2.3], [1.2, 2.2], [1.1, 2.1], [1, 2]]);
  const bend = seeds("x/shift", [[1, 2], [1.3, 2.1], [1.2, 1.8], [1.25, 1.5], [1.2, 1.2], [1, 1]]);
  const paper = currentPaper([claimOf(rule)], {
    margins: { ...PAPER.margins, fit: { value: 0.1, unit: "R²", reason: "a test" } },
  });
  const verdict = (arms: readonly ArmCurves[]) => judgeClaims(paper, arms, REHEARSAL)[0];
  assert.equal(verdict([...same, ...bend])?.verdict, "reproduced");
  const parallel = seeds("x/shift", [[1, 2], [1.2, 2.2], [1.3, 2.3], [1.2, 2.2], [1.1, 2.1], [1, 2]]);
  assert.equal(verdict([...same, ...parallel])?.verdict, "inconclusive");
  const few = same.map((run) => ({ ...run, curves: { ...run.curves, points: run.curves.points.slice(0, 4) } }));
  assert.match(
    verdict([...few.map((run) => ({ ...run, steps: 74 })), ...bend])?.reason ?? "",
    /needs 5|no evaluation|ends at/,
  );
});

Deno.test("dose-response: shares of forgetting, each within the margin of what is stated", () => {
  const rule = (removes: number): Rule => ({
    kind: "dose-response",
    baseline: "x/0%",
    doses: [{ run: "x/5%", removes }],
    at: 50e9,
    margin: "doses",
  });
  const arms = [
    ...seeds("x/0%", both([1, 1, 1, 1, 2, 1])),
    ...seeds("x/5%", both([1, 1, 1, 1, 1.3, 1])), // removes 70 %
  ];
  const verdict = (removes: number) =>
    judgeClaims(
      currentPaper([claimOf(rule(removes))], {
        margins: { ...PAPER.margins, doses: { value: 0.1, unit: "share", reason: "a test" } },
      }),
      arms,
      REHEARSAL,
    )[0];
  assert.equal(verdict(0.712)?.verdict, "reproduced");
  assert.equal(verdict(0.712)?.words, "same number at this scale");
  assert.equal(verdict(0.9)?.verdict, "contradicted");
  assert.equal(verdict(0.712)?.summary, "removed 5% 70.0 % (71.2 %)");
});

const RULES: readonly Rule[] = [
  peaks(["x/a", "x/b"], "x/c"),
  { kind: "rises-then-falls", runs: ["x/a", "x/b"], metric: "upstream", within: 15e9, at: "end", margin: "difference" },
  {
    kind: "lowest-at",
    run: "x/a",
    others: ["x/b", "x/c"],
    metric: "upstream",
    at: [50e9, 100e9],
    margin: "difference",
  },
  { kind: "each-above", pairs: [{ run: "x/a", reference: "x/b" }], metric: "upstream", at: 50e9, margin: "difference" },
  { kind: "more-linear", pairs: [{ run: "x/a", reference: "x/b" }], until: 50e9, margin: "difference" },
  { kind: "dose-response", baseline: "x/a", doses: [{ run: "x/b", removes: 0.5 }], at: 50e9, margin: "difference" },
  { kind: "learned", runs: ["x/none", "x/a"], metric: "upstream", margin: "difference" },
  { kind: "horizon", margin: "difference" },
];

Deno.test("a rule of version 2 reads the runs that it names, makes the comparisons that it counts, and says so", () => {
  const arms = ["a", "b", "c"].flatMap((name, index) =>
    seeds(`x/${name}`, both([1, 1.1, 1.2, 1.1, 1, 1].map((loss, step) => loss + 0.01 * index * step)))
  );
  for (const rule of RULES) {
    const named: string[] = [];
    const marginValue = (name: string) => (named.push(name), 0.005);
    const { contrasts, evidence } = assess(rule, { ...REHEARSAL, arms, marginValue });
    assert.equal(contrasts.length, contrastCount(rule), rule.kind);
    const runs = new Set(runsOf(rule));
    assert.deepEqual(evidence.filter(({ runKey }) => !runs.has(runKey.replace(/ \d$/, ""))), [], rule.kind);
    assert.deepEqual([...new Set(named)].sort(), Object.values(marginsOf(rule)).sort(), rule.kind);
    assert.deepEqual(ruleSchema.parse(rule), rule);
    assert.ok(!ruleSchema.safeParse({ ...rule, another: 1 }).success, rule.kind);
    assert.doesNotMatch(describeRule(rule, PAPER.margins), /undefined|NaN/, rule.kind);
  }
});

function refused(text: string, message: RegExp): void {
  assert.throws(() => parsePaper(text, "paper.yaml"), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("rules of version 2 refuse kinds that others took the place of, and preconditions that do not exist", () => {
  const current = PAPER_TEXT.replace("\nmargins:", "\nrulesVersion: 2\nmargins:");
  assert.notEqual(current, PAPER_TEXT);
  refused(current, /rule\.kind is "spikes", expected "peaks-above", since "spikes" is of rules of version 1/);
  refused(
    PAPER_TEXT.replace("comparable: every-scale", "comparable: every-scale\n        requires: [learned]"),
    /requires .*rules of version 1 have no preconditions/,
  );
});
